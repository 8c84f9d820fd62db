"""Report of API keys: what each key has used, and the smallest key that would do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ConfigDict, Field, ValidationError

from biont.accounts.key_uses import KeyUse, UseKind
from biont.accounts.principal import Narrowing, Scope
from biont.event_patterns import covers
from biont.http.api import Route
from biont.http.key_views import (
    EVENTS,
    MODELS,
    EventPatterns,
    KeyView,
    ModelNames,
    make_narrowing,
)
from biont.schema import Schema

NamedRoutes = Mapping[str, tuple[str, Route]]
"""The operation id and the route, by method and path."""


class KeyRights(Schema):
    """Scope and narrowing of an API key."""

    model_config = ConfigDict(extra="forbid")

    scope: Scope = Scope.FULL
    events: EventPatterns | None = Field(None, description=EVENTS)
    models: ModelNames | None = Field(None, description=MODELS)


class RouteUse(Schema):
    """Requests of an API key to one operation."""

    operation: str | None = Field(
        description="The `operationId`; null for a route that is gone, such as of a plugin."
    )
    route: str = Field(description="Method and path.", examples=["GET /api/v1/notes"])
    count: int
    last_used_at: datetime = Field(description="May be a minute late.")


class NameUse(Schema):
    """Use of event types or of a model."""

    name: str = Field(description="A pattern of event types, or `backend/model`.")
    count: int
    last_used_at: datetime = Field(description="May be a minute late.")


class KeyReport(KeyView):
    """An API key, with what it has used."""

    operations: list[RouteUse]
    used_events: list[NameUse]
    used_models: list[NameUse]
    smaller: KeyRights | None = Field(
        description="The smallest rights with which all recorded uses would have worked; null if "
        "the key has no others, or was not used."
    )


class RefusedUse(Schema):
    """A recorded use that a key of other rights would refuse."""

    kind: UseKind
    name: str = Field(description="Method and path, a pattern of event types, or a model.")
    operation: str | None = Field(description="The `operationId` of a route.")
    count: int
    last_used_at: datetime
    reason: str


class DryRun(Schema):
    """Recorded uses of an API key, judged by other rights."""

    suffices: bool = Field(description="Whether all recorded uses would have worked.")
    uses: int = Field(description="The number of recorded uses of routes.")
    refused: list[RefusedUse]


@dataclass(frozen=True)
class KeyJudge:
    """Judges the uses of keys by rights.

    Args:
        routes: all routes of the workbench.
    """

    routes: NamedRoutes

    def find_refused(self, uses: Iterable[KeyUse], rights: KeyRights) -> list[RefusedUse]:
        """Return the uses that a key with some rights would refuse."""
        narrowing = make_narrowing(rights.events, rights.models)
        judged = ((use, self._judge(use, rights.scope, narrowing)) for use in uses)
        return [
            RefusedUse(
                kind=UseKind(use.kind),
                name=use.name,
                operation=self._find_operation(use),
                count=use.count,
                last_used_at=use.last_used_at,
                reason=reason,
            )
            for use, reason in judged
            if reason is not None
        ]

    def find_smallest(self, uses: Sequence[KeyUse]) -> KeyRights:
        """Return the smallest rights with which all uses work."""
        used = [route for _, route in self._list_routes(uses)]
        fitting = [
            scope for scope in Scope if all(scope in route.allowed_scopes for route in used)
        ]
        scope = min(fitting, key=self._count_routes, default=Scope.FULL)
        if not all(route.narrowable for route in used):
            return KeyRights(scope=scope)
        events = _summarise(use.name for use in uses if use.kind == UseKind.EVENT)
        models = _summarise(use.name for use in uses if use.kind == UseKind.MODEL)
        try:
            return KeyRights(scope=scope, events=events, models=models)
        except ValidationError:
            # More names than a key can have, or a model whose name no key can have.
            return KeyRights(scope=scope)

    def list_operations(self, uses: Iterable[KeyUse]) -> list[RouteUse]:
        """Return the used operations."""
        return [
            RouteUse(
                operation=self._find_operation(use),
                route=use.name,
                count=use.count,
                last_used_at=use.last_used_at,
            )
            for use in uses
            if use.kind == UseKind.ROUTE
        ]

    def _judge(self, use: KeyUse, scope: Scope, narrowing: Narrowing) -> str | None:
        """Return the reason for which a use would be refused."""
        if use.kind == UseKind.EVENT:
            is_refused = narrowing.events is not None and not covers(narrowing.events, use.name)
            return "the key is narrowed to other events" if is_refused else None
        if use.kind == UseKind.MODEL:
            wanted = Narrowing(models=(use.name,))
            is_refused = Narrowing(models=narrowing.models).find_excess(wanted) is not None
            return "the key is narrowed to other models" if is_refused else None
        if use.name not in self.routes:
            return None
        _, route = self.routes[use.name]
        if scope not in route.allowed_scopes:
            return f"needs a key of scope {' or '.join(route.allowed_scopes)}"
        if narrowing.is_narrow and not route.narrowable:
            return "needs a key that is not narrowed"
        return None

    def _list_routes(self, uses: Iterable[KeyUse]) -> Iterator[tuple[str, Route]]:
        for use in uses:
            if use.kind == UseKind.ROUTE and use.name in self.routes:
                yield self.routes[use.name]

    def _find_operation(self, use: KeyUse) -> str | None:
        found = self.routes.get(use.name) if use.kind == UseKind.ROUTE else None
        return None if found is None else found[0]

    def _count_routes(self, scope: Scope) -> int:
        return sum(scope in route.allowed_scopes for _, route in self.routes.values())


def list_names(uses: Iterable[KeyUse], kind: UseKind) -> list[NameUse]:
    """Return the used event types, or models."""
    return [
        NameUse(name=use.name, count=use.count, last_used_at=use.last_used_at)
        for use in uses
        if use.kind == kind
    ]


def _summarise(names: Iterable[str]) -> list[str] | None:
    """Return the names that cover all; None for all names."""
    distinct = sorted(set(names))
    if "*" in distinct:
        return None
    return [
        name for name in distinct if not covers([each for each in distinct if each != name], name)
    ]
