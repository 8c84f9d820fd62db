"""Request that is passed to route functions, and types for parameters and bodies."""

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
"""Type of row numbers in paths and bodies."""


def _to_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie within the years 1 to 9999 of UTC") from error


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""Type of instants in queries and bodies: clients send an offset, route functions get UTC."""


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
    def key_id(self) -> int:
        """The number of the caller's API key.

        Raises:
            Unauthorized: the route is public.
        """
        if self.principal is None:
            raise Unauthorized("this route is public and has no key")
        return self.principal.key_id
