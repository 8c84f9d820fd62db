"""Every operation, called through the client that openapi-python-client generates."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
from conftest import MakeKey, StartServer
from support.document_tools import generate_python_client
from support.operations import PLUGIN, PREPARE, Arguments, Situation

from biont.testing import ApiClient, ModelServer, WebhookReceiver

PACKAGE = "generated_workbench_client"
SSE = "text/event-stream"
RACES = {("cancel_operation", 409)}
"""Problems that depend on time: a short operation may be done before it is cancelled."""

Operation = dict[str, Any]
Generated = Any
"""Code that is generated while the test runs has no types for mypy."""


@pytest.fixture
def _forget_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.mark.usefixtures("_forget_package")
async def test_every_operation_is_usable_from_the_generated_client(
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
        document: Any = await api.get("/openapi.json")
        path = tmp_path / "openapi.json"
        path.write_bytes(orjson.dumps(document))
        await generate_python_client(path, tmp_path / PACKAGE)
        client = import_module(f"{PACKAGE}.client").AuthenticatedClient(
            base_url=server.url, token=key, prefix="", auth_header_name="X-API-Key"
        )
        await stack.enter_async_context(client)
        situation = Situation(api, scripted, receiver)
        failed = {}
        assert set(PREPARE) <= {each["operationId"] for each in list_operations(document)}
        for operation in list_operations(document):
            name = operation["operationId"]
            prepare = PREPARE.get(name)
            arguments = {} if prepare is None else await prepare(situation)
            status, content = await call(client, operation, arguments)
            is_named = str(status) in operation["responses"]
            if not is_named or (status >= 400 and (name, status) not in RACES):
                failed[name] = status, content
        assert not failed


def list_operations(document: Operation) -> list[Operation]:
    return [operation for path in document["paths"].values() for operation in path.values()]


async def call(
    client: Generated, operation: Operation, arguments: Arguments
) -> tuple[int, object]:
    """Call an operation as a user of the generated client does; return status and content."""
    name = operation["operationId"]
    module: Generated = import_module(f"{PACKAGE}.api.{operation['tags'][0]}.{name}")
    hints = typing.get_type_hints(module.asyncio_detailed)
    given = {name: value for name, value in arguments.items() if name in hints}
    if "body" in hints:
        example = operation["requestBody"]["content"]["application/json"]["example"]
        given["body"] = make_body(hints["body"], given.get("body", example))
    success = next(
        response for status, response in operation["responses"].items() if status < "300"
    )
    if list(success.get("content", {})) == [SSE]:
        # The generated function waits for the end, which a stream does not have.
        request = module._get_kwargs(**given)  # noqa: SLF001  # the way for streams in httpx
        async with client.get_async_httpx_client().stream(**request) as response:
            assert response.headers["Content-Type"].startswith(SSE)
            return response.status_code, None
    answer = await module.asyncio_detailed(client=client, **given)
    if "content" in success and answer.status_code < 300:
        assert answer.parsed is not None, name
    return int(answer.status_code), answer.content


def make_body(hint: Generated, example: Operation) -> Generated:
    """Return the generated model of a body that takes the example."""
    choices = [kind for kind in typing.get_args(hint) or (hint,) if hasattr(kind, "from_dict")]
    for kind in choices:
        try:
            return kind.from_dict(example)
        except KeyError:
            # Lacks a required field: another alternative is meant.
            continue
    raise AssertionError(f"none of {choices} takes {example}")
