"""REST routes of integrations: connect, list, read, change, test, delete, and send messages."""

from __future__ import annotations

from collections.abc import Mapping

from biont import INTEGRATION_KINDS, Api, IntegrationKind, Page, Request, RowId
from biont.exceptions import InputProblem, InvalidInput
from biont.http import ListQuery, make_page
from biont_integrations.connections import (
    Caller,
    Columns,
    change_integration,
    check_sharing,
    find_changeable,
    find_visible,
    insert_integration,
    list_visible,
    merge_settings,
)
from biont_integrations.integrations import INTEGRATIONS
from biont_integrations.kind_settings import check_settings
from biont_integrations.schemas import (
    IntegrationChange,
    IntegrationKindView,
    IntegrationTest,
    IntegrationView,
    NewIntegration,
    NewMessage,
    SentMessageView,
    make_file_view,
    make_kind_view,
    make_message_view,
    make_view,
)
from biont_integrations.settings import ConnectionName
from biont_integrations.tables import Integration, SentMessage

INTEGRATION = "/integrations/{integration_id}"

api = Api("integrations", description="Connections to outside systems, and messages to them.")


def _get_caller(request: Request) -> Caller:
    is_admin = request.principal is not None and request.principal.is_admin
    return Caller(request.user_id, is_admin)


def _find_integration(request: Request, integration_id: RowId) -> IntegrationView:
    return _make_view(request, find_visible(_get_caller(request), integration_id))


def _make_view(request: Request, row: Integration) -> IntegrationView:
    return make_view(request.workbench.get(INTEGRATIONS), _get_caller(request), row)


@api.get("/integrations")
async def list_integrations(request: Request) -> Page[IntegrationView]:
    """List the integrations through which you may send messages, by name.

    These are your own, those that an administrator shares, and the connections of the operator's
    configuration. Secrets are not shown.
    """
    integrations = request.workbench.get(INTEGRATIONS)

    def select() -> list[IntegrationView]:
        return [_make_view(request, row) for row in list_visible(request.user_id)]

    views = await request.workbench.store.read(select)
    views += [
        make_file_view(name, connection, integrations.get_file_health(name))
        for name, connection in integrations.file_connections.items()
    ]
    return Page(data=sorted(views, key=lambda view: view.name), next=None)


@api.get("/integrations/kinds", operation="list_integration_kinds")
async def list_kinds(request: Request) -> Page[IntegrationKindView]:
    """List the kinds of outside systems, each with the JSON schema of its settings."""
    kinds = request.workbench.get(INTEGRATION_KINDS)
    return Page(data=[make_kind_view(kinds[name]) for name in sorted(kinds)], next=None)


@api.get("/integrations/messages")
async def list_sent_messages(
    request: Request,
    query: ListQuery,
) -> Page[SentMessageView]:
    """List the messages sent on your behalf, the newest first.

    Messages are kept for `plugins.integrations.keep_days` days.
    """
    rows = await request.workbench.store.read(
        SentMessage.read_page, request.user_id, query.limit, query.span
    )
    return make_page(rows, query.limit, lambda row: row.id, make_message_view)


@api.post(
    "/integrations",
    quota="integrations",
    narrowable=False,
    operation="connect_integration",
    location="/integrations/{id}",
    example={
        "name": "team-chat",
        "kind": "slack",
        "settings": {"url": "https://hooks.slack.com/services/T000/B000/XXXX"},
    },
)
async def connect(request: Request, body: NewIntegration) -> IntegrationView:
    """Connect an outside system, to which you and your schedules send messages.

    The settings are checked for their form; `test` proves that they work. The status is 409 for a
    name that is taken.
    """
    workbench = request.workbench
    kind = workbench.get(INTEGRATION_KINDS).get(body.kind)
    if kind is None:
        raise InvalidInput(_make_kind_problem(workbench.get(INTEGRATION_KINDS)))
    new = Columns(
        body.name, body.kind, check_settings(kind, body.settings), body.reports, body.shared
    )
    row = await workbench.store.write(
        insert_integration,
        _get_caller(request),
        new,
        _list_file_names(request),
        workbench.vault,
        workbench.clock.now(),
    )
    return await workbench.store.read(_make_view, request, row)


@api.get(INTEGRATION)
async def read_integration(request: Request, integration_id: RowId) -> IntegrationView:
    """Read an integration, without secrets."""
    return await request.workbench.store.read(_find_integration, request, integration_id)


@api.patch(
    INTEGRATION,
    narrowable=False,
    operation="change_integration",
    present=_find_integration,
    problems=(403,),
    example={"settings": {"url": "https://hooks.slack.com/services/T000/B000/YYYY"}},
)
async def change(
    request: Request, integration_id: RowId, body: IntegrationChange
) -> IntegrationView:
    """Change an integration by a merge patch; a secret that is left out stays.

    The status is 403 for an integration that an administrator shares.
    """
    workbench, caller = request.workbench, _get_caller(request)
    vault, kinds = workbench.vault, workbench.get(INTEGRATION_KINDS)

    def write() -> IntegrationView:
        row = find_changeable(caller, integration_id)
        columns = body.list_given()
        check_sharing(caller, shared=bool(columns.get("shared")))
        if "settings" in columns:
            kind = kinds.get(row.kind)
            if kind is None:
                raise InvalidInput(_make_kind_problem(kinds))
            settings = check_settings(kind, merge_settings(row, body.settings, vault))
            columns["settings"] = vault.encrypt(settings)
        taken = _list_file_names(request)
        return _make_view(request, change_integration(row, columns, taken, workbench.clock.now()))

    return await workbench.store.write(write)


@api.delete(
    INTEGRATION,
    narrowable=False,
    operation="delete_integration",
    present=_find_integration,
    problems=(403,),
)
async def delete(request: Request, integration_id: RowId) -> None:
    """Delete an integration with its secrets; the records of its messages stay."""
    caller = _get_caller(request)

    def write() -> None:
        find_changeable(caller, integration_id).delete_instance()

    await request.workbench.store.write(write)


@api.post(
    f"{INTEGRATION}/test",
    status=200,
    operation="test_integration",
    problems=(403, 502),
)
async def test(request: Request, integration_id: RowId) -> IntegrationTest:
    """Prove that an integration works, by its kind or else by a test message.

    Emits `integration_connected`, or `integration_failed` with the reason. The status is 502 if
    the outside system refuses, or does not answer in time.
    """
    workbench = request.workbench
    row = await workbench.store.read(find_changeable, _get_caller(request), integration_id)
    await workbench.get(INTEGRATIONS).test(row)
    kind = workbench.get(INTEGRATION_KINDS)[row.kind]
    return IntegrationTest(connected=True, sent_message=kind.connect is None)


@api.post(
    "/integrations/{name}/send",
    status=204,
    problems=(502,),
    example={"title": "Report", "text": "All is well."},
)
async def send_message(request: Request, name: ConnectionName, body: NewMessage) -> None:
    """Send a message; the answer comes after the outside system accepted the message.

    The status is 502 if the outside system refuses the message or does not answer in time.
    """
    await request.workbench.get(INTEGRATIONS).send(request.user_id, name, body.title, body.text)


def _list_file_names(request: Request) -> list[str]:
    return [*request.workbench.get(INTEGRATIONS).file_connections]


def _make_kind_problem(kinds: Mapping[str, IntegrationKind]) -> InputProblem:
    return InputProblem(f"there is no such kind; choose from {', '.join(sorted(kinds))}", "#/kind")
