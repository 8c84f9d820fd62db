"""Claims: the names that plugins define, of which each has one owner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from peewee import Model

from biont.event_types import EventType
from biont.exceptions import PluginError
from biont.http.api import Route
from biont.http.location import normalise_path
from biont.store.database import Table

CORE = "core"
"""The owner of the core's names."""


@dataclass(frozen=True)
class Claim:
    """Name that an owner defines.

    Attributes:
        kind: the kind of name: ``tool``.
        name: the name.
        key: the text by which names are compared.
    """

    kind: str
    name: str
    key: str

    def __str__(self) -> str:
        """Return the name in words: ``tool 'create_note'``."""
        return self.name if self.kind == "route" else f"{self.kind} {self.name!r}"


@dataclass
class Claims:
    """Owners of all names.

    Attributes:
        owners: the owner of each claim, by kind and key.
    """

    owners: dict[tuple[str, str], str] = field(default_factory=dict)

    def take(self, owner: str, claims: Iterable[Claim]) -> None:
        """Record all `claims` of `owner`, or none.

        Raises:
            PluginError: a name has an owner already; the message names both.
        """
        taken = dict(self.owners)
        for claim in claims:
            place = claim.kind, claim.key
            if place in taken:
                raise PluginError.from_conflict(str(claim), taken[place], owner)
            taken[place] = owner
        self.owners = taken


def claim_names(kind: str, names: Iterable[str]) -> Iterator[Claim]:
    """Yield a claim for each name."""
    for name in names:
        yield Claim(kind, name, name)


def get_table_name(model: type[Model]) -> str:
    """Return the name of a model's table."""
    return str(model._meta.table_name)  # noqa: SLF001  # peewee's way


def claim_tables(names: Iterable[str]) -> Iterator[Claim]:
    """Yield a claim for each table; SQLite compares names of tables without case."""
    for name in names:
        yield Claim("table", name, name.lower())


def claim_routes(routes: Iterable[Route]) -> Iterator[Claim]:
    """Yield a claim for each route; names of path parameters make no difference."""
    for route in routes:
        name = f"{route.method} {route.path}"
        yield Claim("route", name, f"{route.method} {normalise_path(route.path)}")


def make_core_claims(
    routes: Iterable[Route],
    event_types: Iterable[EventType],
    commands: Iterable[str],
    operations: Iterable[str] = (),
) -> Claims:
    """Return the claims of the core, to which the claims of plugins are added."""
    claims = Claims()
    claims.take(
        CORE,
        [
            *claim_routes(routes),
            *claim_names("event type", (found.name for found in event_types)),
            *claim_names("command", commands),
            *claim_names("operation kind", operations),
            *claim_tables(_list_core_tables(Table)),
        ],
    )
    return claims


def _list_core_tables(base: type[Table]) -> Iterator[str]:
    for model in base.__subclasses__():
        if model.__module__.partition(".")[0] == "biont":
            yield get_table_name(model)
        yield from _list_core_tables(model)
