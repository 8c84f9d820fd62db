"""Texts of a page's query: instants as browsers send them, and optional texts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from biont.exceptions import InvalidInput
from biont.http import QueryValue
from biont_dashboard.form_fields import read_instant
from biont_dashboard.visit import Listing, Visit

QueryText = Annotated[str, Field(max_length=200)]
"""Text of a filter; empty for no filter, as forms without the script send it."""


def to_instant(text: str) -> str | None:
    """Return the instant of a field of a filter; local texts count as UTC. None for an empty text.

    A text that is no instant is returned as such, so that the API says what is wrong.
    """
    return read_instant(text.strip()) if text.strip() else None


def to_field(text: str) -> str:
    """Return an instant as a field of the kind ``datetime-local`` takes it."""
    return text.strip().removesuffix("Z").partition("+")[0].partition(".")[0]


async def read_filtered(
    visit: Visit, path: str, **query: QueryValue
) -> tuple[Listing, str | None]:
    """Return the page of a filtered list, and what is wrong with the filters; None for nothing.

    The page with the filters stays, so that whoever made a slip can mend it there.
    """
    try:
        return await visit.read_list(path, **query), None
    except InvalidInput as problem:
        return Listing([], None, None), str(problem)
