"""Routes of operations: list, read and cancel."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from biont.accounts.principal import Scope
from biont.http.api import Api
from biont.http.operation_views import OperationView, make_operation_view
from biont.http.paging import Page, make_page
from biont.http.request import AnyOf, Request, RowId
from biont.http.spans import ListQuery
from biont.operations.tables import OperationStatus

_ANY_SCOPE = frozenset(Scope)

api = Api("operations", description="Acts on many rows, which are worked off in the background.")

KindName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")]


@api.get("/operations", scopes=_ANY_SCOPE)
async def list_operations(
    request: Request,
    query: ListQuery,
    kind: AnyOf[KindName] | None = None,
    status: AnyOf[OperationStatus] | None = None,
) -> Page[OperationView]:
    """List your operations, the newest first.

    `kind` and `status` may be repeated: any of the values matches. A page of a rare filter may
    have fewer operations than `limit`, or none; follow `next` until null.
    """
    visible = _find_visible_kinds(request)
    kinds = kind if visible is None else [each for each in kind or visible if each in visible]
    found = await request.workbench.operations.list_operations(
        request.user_id,
        query.limit,
        query.span,
        kinds,
        [*status] if status else None,
    )
    return make_page(
        found.rows,
        query.limit,
        lambda operation: operation.id,
        make_operation_view,
        scanned_to=found.end,
    )


@api.get("/operations/{operation_id}", scopes=_ANY_SCOPE)
async def read_operation(request: Request, operation_id: RowId) -> OperationView:
    """Read an operation and its progress.

    Read the operation again until `status` is not `running` any more.
    """
    return make_operation_view(
        await request.workbench.operations.read(
            request.user_id, operation_id, _find_visible_kinds(request)
        )
    )


@api.post("/operations/{operation_id}/cancel", scopes=_ANY_SCOPE, status=200)
async def cancel_operation(request: Request, operation_id: RowId) -> OperationView:
    """Cancel a running operation; the changes that it has made stay.

    An operation that is done or has failed cannot be cancelled: 409.
    """
    return make_operation_view(
        await request.workbench.operations.cancel(
            request.user_id, operation_id, _find_visible_kinds(request)
        )
    )


def _find_visible_kinds(request: Request) -> list[str] | None:
    """Return the kinds that the caller's key may see; None for all."""
    scope = request.principal.scope if request.principal is not None else None
    if scope in (Scope.FULL, Scope.READ):
        return None
    kinds = request.workbench.operations.kinds
    return [name for name, kind in kinds.items() if scope in kind.scopes]
