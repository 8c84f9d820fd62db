"""Request that is passed to route functions, and types for parameters and bodies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from aiohttp import web
from multidict import istr
from pydantic import AwareDatetime, BeforeValidator, Field

from biont.accounts.principal import WHOLE, Actor, Narrowing, Principal
from biont.exceptions import Forbidden, Unauthorized
from biont.http.client_address import find_client_address
from biont.workbench import Workbench

RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""Type of row numbers in paths and bodies."""

V = TypeVar("V")

AnyOf = Annotated[list[V], Field(min_length=1, max_length=20)]
"""Type of filters that a query may repeat (``?status=a&status=b``): any of the values matches."""

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _parse_instant(value: object) -> object:
    """Return the instant of a text, in UTC."""
    if isinstance(value, datetime):
        at = value
    elif isinstance(value, str) and _INSTANT.fullmatch(value):
        at = datetime.fromisoformat(value.upper())
    else:
        raise ValueError("must be an instant with an offset: 2026-01-31T09:00:00+01:00")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie within the years 1 to 9999 of UTC") from error


Instant = Annotated[AwareDatetime, BeforeValidator(_parse_instant)]
"""Type of instants in queries and bodies: clients send RFC 3339, route functions get UTC."""


KEY_HEADER = istr("X-API-Key")

OTHER_KEY = web.RequestKey("other key", str)
"""The API key of a request that has no `KEY_HEADER`, such as from a cookie."""


@dataclass(frozen=True, slots=True)
class Request:
    """Authorised request.

    Attributes:
        http: the request of aiohttp.
        workbench: the workbench.
        principal: the user and key of the caller; None on a public route.
    """

    http: web.Request
    workbench: Workbench
    principal: Principal | None

    @property
    def user_id(self) -> int:
        """The number of the user whose rows this request may read and write.

        Raises:
            Unauthorized: the route is public.
        """
        if self.principal is None:
            raise Unauthorized("this route is public and has no user")
        return self.principal.user_id

    @property
    def narrowing(self) -> Narrowing:
        """The limits of the caller's key within its scope; none on a public route."""
        return WHOLE if self.principal is None else self.principal.narrowing

    def use_events(self, patterns: Iterable[str]) -> None:
        """Check that the caller's key may see all events that `patterns` match, and count the use.

        Raises:
            Forbidden: some of the events are beyond the key.
        """
        if self.principal is not None:
            if self.principal.narrowing.events is not None:
                self.principal.narrowing.check_events(patterns)
            self.workbench.keys.uses.note_events(self.principal.key_id, patterns)

    def choose_events(self, pattern: str) -> Sequence[str]:
        """Return patterns for those events of `pattern` that the caller's key may see.

        Raises:
            Forbidden: the key may see none of the events.
        """
        chosen = self.narrowing.choose_events(pattern)
        self.workbench.keys.uses.note_events(self.key_id, chosen)
        return chosen

    async def check_key(self) -> None:
        """Check again that the caller's key is valid, in an answer that takes long.

        Raises:
            Unauthorized: the key has expired or was revoked, or the route is public.
            Forbidden: the user is disabled, or an administrator no more who looks at the rows of
                another user.
        """
        plain = self.http.headers.get(KEY_HEADER) or self.http.get(OTHER_KEY)
        present = await self.workbench.keys.authenticate(plain)
        is_look = self.principal is not None and self.principal.viewer_id is not None
        if is_look and not present.is_admin:
            raise Forbidden("only an administrator may see the rows of another user")

    @property
    def actor(self) -> Actor:
        """The source of acts on keys and users."""
        return Actor(self.key_id, self.client_address)

    @property
    def client_address(self) -> str:
        """The address of the client, also after proxies that the operator trusts."""
        return find_client_address(self.http)

    @property
    def key_user_id(self) -> int:
        """The number of the user of the caller's key, also of one who looks at rows of another.

        Raises:
            Unauthorized: the route is public.
        """
        if self.principal is None:
            raise Unauthorized("this route is public and has no user")
        return self.principal.key_user_id

    @property
    def key_id(self) -> int:
        """The number of the caller's API key.

        Raises:
            Unauthorized: the route is public.
        """
        if self.principal is None:
            raise Unauthorized("this route is public and has no key")
        return self.principal.key_id
