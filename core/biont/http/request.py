"""What a route's function knows of the request it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, AwareDatetime, Field

from biont.accounts.api_keys import Principal
from biont.exceptions import Unauthorized
from biont.workbench import Workbench

RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""The number of a row, as it stands in paths and bodies."""


def _to_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie within the years 1 to 9999 of UTC") from error


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An instant as clients send it, with an offset; a route gets it in UTC."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, already authorised.

    Attributes:
        http: the request as aiohttp knows it.
        workbench: the running whole.
        principal: who asks; None on a public route.
    """

    http: web.Request
    workbench: Workbench
    principal: Principal | None

    @property
    def user_id(self) -> int:
        """Whose data this request may touch.

        Raises:
            Unauthorized: the route is public.
        """
        if self.principal is None:
            raise Unauthorized("this route is public and knows no user")
        return self.principal.user_id

    @property
    def key_id(self) -> int:
        """The number of the API key that asks.

        Raises:
            Unauthorized: the route is public.
        """
        if self.principal is None:
            raise Unauthorized("this route is public and knows no key")
        return self.principal.key_id
