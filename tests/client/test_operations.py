"""Every operation of the API, called through `biont.client`."""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from client.naming import name_argument
from conftest import MakeKey, StartServer
from support.operations import PLUGIN, PREPARE, Arguments, Situation

from biont.client import ApiError, AsyncClient, AsyncPages, Client, Pages
from biont.client.operation_names import shorten_names
from biont.testing import ApiClient, ModelServer, WebhookReceiver

RACES = {("cancel_operation", 409)}
"""Problems that depend on time: a short operation may be done before it is cancelled."""

Operation = dict[str, Any]
Method = Callable[..., Any]


async def test_every_operation_is_usable_from_both_clients(
    tmp_path: Path,
    start_server: StartServer,
    make_key: MakeKey,
    scripted: ModelServer,
    receiver: WebhookReceiver,
) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "parcels.py").write_text(PLUGIN)
    connections = {"connections": {"team": {"url": receiver.url}}}
    sections = typing.cast("dict[str, Any]", scripted.sections["plugins"])
    server = await start_server(
        plugins={**sections, "folder": str(folder), "integrations": connections}
    )
    key = await make_key()
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(ApiClient(server.url, key))
        client = await stack.enter_async_context(AsyncClient(server.url, key))
        sync_client = stack.enter_context(Client(server.url, key))
        document: Any = await api.get("/openapi.json")
        operations = [
            (path, verb, each)
            for path, verbs in document["paths"].items()
            for verb, each in verbs.items()
        ]
        names = shorten_names((each["tags"][0], each["operationId"]) for _, _, each in operations)
        situation = Situation(api, scripted, receiver)
        failed: dict[str, object] = {}
        for path, verb, operation in operations:
            name = operation["operationId"]
            prepare = PREPARE.get(name)
            arguments = {} if prepare is None else await prepare(situation)
            groups = [client, sync_client] if verb == "get" else [client]
            for each in groups:
                method = getattr(getattr(each, operation["tags"][0]), names[name])
                try:
                    await call(method, path, operation, arguments)
                except ApiError as error:
                    if (name, error.status) not in RACES:
                        failed[name] = error
        assert not failed


async def call(method: Method, path: str, operation: Operation, arguments: Arguments) -> None:
    """Call a method as its signature asks; read the first item of a list or stream."""
    parameters = inspect.signature(method).parameters
    positional = [
        arguments[name]
        for name, parameter in parameters.items()
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY
    ]
    assert len(positional) == path.count("{")
    known = {name_argument(name): value for name, value in arguments.items()}
    named = {
        name: known[name]
        for name, parameter in parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name in known
    }
    if "body" in parameters:
        example = operation["requestBody"]["content"]["application/json"]["example"]
        named |= arguments.get("body", example)
    if operation["operationId"] == "follow_events":
        named["after"] = 0
    if inspect.iscoroutinefunction(method):
        await method(*positional, **named)
        return
    result = await asyncio.to_thread(method, *positional, **named)
    if isinstance(result, AsyncPages):
        assert isinstance(await result.first_page(), list)
    elif isinstance(result, Pages):
        assert isinstance(await asyncio.to_thread(result.first_page), list)
    elif isinstance(result, AsyncIterator):
        assert await anext(result)
    elif isinstance(result, Iterator):
        assert await asyncio.to_thread(next, result)
