"""Contributions: all that one plugin registers by its hooks, checked for its type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import click
from pydantic import BaseModel, TypeAdapter

from biont.contract.integrations import (
    Connect,
    IntegrationContext,
    IntegrationKind,
    OutgoingMessage,
    Send,
)
from biont.contract.jobs import JobKind
from biont.contract.llm import BackendFactory
from biont.contract.operation_kinds import OperationKind
from biont.contract.panels import Panel, PanelContext
from biont.contract.tools import Tool, ToolContext, ToolResult
from biont.event_types import EventType
from biont.exceptions import PluginError
from biont.http.api import Api
from biont.plugins.claims import (
    Claim,
    claim_names,
    claim_routes,
    claim_tables,
    get_table_name,
)
from biont.plugins.contained_backend import contain_factory
from biont.runtime.containment import contain_exit
from biont.store.database import Table
from biont.store.migration import Tables
from biont.workbench import Workbench

T = TypeVar("T")

CallHook = Callable[..., Any]
"""Calls a hook of the plugin by name, with arguments; returns None where the hook is missing."""


@dataclass
class Contributions:
    """All that one plugin registers.

    Attributes:
        tables: the tables and their migrations.
        api: the routes.
        jobs: the job kinds by name.
        operations: the operation kinds.
        event_types: the event types.
        tools: the tools by name.
        backends: the factories of LLM backends by name.
        integrations: the kinds of outside systems that take messages.
        panels: the parts of the dashboard's pages.
        commands: the names of the commands.
    """

    tables: Tables | None = None
    api: Api | None = None
    jobs: Sequence[JobKind] = ()
    operations: Sequence[OperationKind] = ()
    event_types: Sequence[EventType] = ()
    tools: Sequence[Tool] = ()
    backends: Mapping[str, BackendFactory] = field(default_factory=dict)
    integrations: Sequence[IntegrationKind] = ()
    panels: Sequence[Panel] = ()
    commands: Sequence[str] = ()

    def list_claims(self) -> Iterator[Claim]:
        """Yield the names that the plugin defines."""
        if self.tables is not None:
            yield from claim_tables(map(get_table_name, self.tables.models))
        yield from claim_routes(self.api or ())
        yield from claim_names("job kind", (kind.name for kind in self.jobs))
        yield from claim_names("operation kind", (kind.name for kind in self.operations))
        yield from claim_names("event type", (found.name for found in self.event_types))
        yield from claim_names("tool", (tool.name for tool in self.tools))
        yield from claim_names("LLM backend", self.backends)
        yield from claim_names("integration kind", (kind.name for kind in self.integrations))
        yield from claim_names("panel", (panel.name for panel in self.panels))
        yield from claim_names("command", self.commands)


def collect_contributions(
    call: CallHook, workbench: Workbench, *, with_commands: bool
) -> Contributions:
    """Call the hooks of a plugin, and check the results.

    Args:
        call: calls a hook.
        workbench: the workbench, from which factories read their settings.
        with_commands: whether to ask for the commands, whose modules a server does not need.

    Raises:
        PluginError: a hook returns something else than its contract says.
    """
    commands = click.Group()
    if with_commands:
        call("register_commands", cli=commands)
    backends = call("register_llm_backends", workbench=workbench)
    return Contributions(
        tables=check_tables(call("register_tables")),
        api=_check("register_routes", Api, call("register_routes")),
        jobs=_check_all("register_jobs", JobKind, call("register_jobs")),
        operations=_check_all("register_operations", OperationKind, call("register_operations")),
        event_types=_check_all("register_event_types", EventType, call("register_event_types")),
        tools=_check_all("register_tools", Tool, call("register_tools")),
        backends=_check("register_llm_backends", dict, backends) or {},
        integrations=_check_all(
            "register_integrations", IntegrationKind, call("register_integrations")
        ),
        panels=_check_all("register_panels", Panel, call("register_panels")),
        commands=[*commands.commands],
    )


def contain(contributions: Contributions) -> Contributions:
    """Return contributions whose functions cannot end the process, with checked schemas.

    Raises:
        PluginError: a tool, an event type or an integration kind has no JSON schema.
    """
    for tool in contributions.tools:
        _check_schema(f"the tool {tool.name!r}", tool.define)
    for found in contributions.event_types:
        schema = TypeAdapter(found.payload).json_schema
        _check_schema(f"the event type {found.name!r}", schema)
    for kind in contributions.integrations:
        _check_schema(f"the integration kind {kind.name!r}", kind.settings.model_json_schema)
    return replace(
        contributions,
        tools=[replace(tool, call=_contain_tool(tool)) for tool in contributions.tools],
        backends={
            name: contain_factory(factory) for name, factory in contributions.backends.items()
        },
        integrations=[_contain_integration(kind) for kind in contributions.integrations],
        panels=[replace(panel, render=_contain_panel(panel)) for panel in contributions.panels],
    )


def _contain_panel(panel: Panel) -> Callable[[PanelContext], Awaitable[str]]:
    async def render(context: PanelContext) -> str:
        with contain_exit():
            return await panel.render(context)

    return render


def _contain_integration(kind: IntegrationKind) -> IntegrationKind:
    return replace(
        kind,
        send=_contain_send(kind.send),
        connect=None if kind.connect is None else _contain_connect(kind.connect),
    )


def _contain_send(send: Send) -> Send:
    async def send_contained(
        context: IntegrationContext[BaseModel], message: OutgoingMessage
    ) -> None:
        with contain_exit():
            await send(context, message)

    return send_contained


def _contain_connect(connect: Connect) -> Connect:
    async def connect_contained(context: IntegrationContext[BaseModel]) -> None:
        with contain_exit():
            await connect(context)

    return connect_contained


def _contain_tool(tool: Tool) -> Callable[[ToolContext, str], Any]:
    async def call(context: ToolContext, text: str) -> ToolResult:
        with contain_exit():
            return await tool.call(context, text)

    return call


def _check(hook: str, kind: type[T], found: object) -> T | None:
    if found is None or isinstance(found, kind):
        return found
    raise PluginError(f"{hook} must return {kind.__name__}, not {type(found).__name__}")


def check_tables(found: object) -> Tables | None:
    """Return the result of the hook ``register_tables``.

    Raises:
        PluginError: the result is something else than the contract says.
    """
    tables = _check("register_tables", Tables, found)
    models: Sequence[object] = () if tables is None else tables.models
    for model in models:
        # peewee has a class of the same name.
        if not (isinstance(model, type) and issubclass(model, Table)):
            raise PluginError(
                f"register_tables: {model!r} is no subclass of biont.Table, as a model must be"
            )
    return tables


def _check_all(hook: str, kind: type[T], found: object) -> list[T]:
    if not isinstance(found, Sequence | None):
        raise PluginError(f"{hook} must return a list, not {type(found).__name__}")
    items = found or ()
    for item in items:
        if not isinstance(item, kind):
            raise PluginError(
                f"{hook} must return {kind.__name__} objects, not {type(item).__name__}"
            )
    return [*items]


def _check_schema(owner: str, make: Callable[[], object]) -> None:
    try:
        make()
    except Exception as error:
        raise PluginError(f"{owner} has no JSON schema: {error}") from error
