"""Causation headers: carry the correlation id and the hops of an event between systems.

A delivery carries both headers. A receiver that calls the API back with the same headers
continues the chain, so that the hop limit (``events.max_hops``) also ends loops through
other systems.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import uuid_utils
from multidict import istr

from biont.event import Cause
from biont.exceptions import InputProblem, InvalidInput

CORRELATION = istr("X-Correlation-ID")
HOPS = istr("X-Biont-Hops")

_CORRELATION_ID = re.compile(r"[\x21-\x7e]{1,100}")
# Three digits are far beyond any sensible `events.max_hops`; int() of a long text is slow.
_MAX_HOPS = re.compile(r"\d{1,3}")


def read_causation_headers(headers: Mapping[str, str]) -> Cause:
    """Return the cause of the events that a request emits.

    Without headers, the request begins a new chain.

    Raises:
        InvalidInput: a header has an invalid value.
    """
    correlation_id = headers.get(CORRELATION)
    if correlation_id is None:
        correlation_id = str(uuid_utils.uuid7())
    elif not _CORRELATION_ID.fullmatch(correlation_id):
        raise InvalidInput(
            InputProblem("must be 1-100 printable ASCII characters without spaces", CORRELATION)
        )
    hops = headers.get(HOPS)
    if hops is None:
        return Cause(correlation_id)
    if not _MAX_HOPS.fullmatch(hops):
        raise InvalidInput(InputProblem("must be a number of up to 3 digits", HOPS))
    return Cause(correlation_id, None, int(hops))


def make_causation_headers(correlation_id: str, hops: int) -> dict[str, str]:
    """Return the headers with which a receiver that calls back continues the chain.

    Args:
        correlation_id: the correlation id of the delivered event.
        hops: the hops of the delivered event.
    """
    return {CORRELATION: correlation_id, HOPS: str(hops + 1)}
