"""What a request is part of: ids and hops that travel from system to system."""

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
_MAX_HOPS = re.compile(r"\d{1,3}")


def read_causation_headers(headers: Mapping[str, str]) -> Cause:
    """Return what the events of a request are caused by, as its headers say.

    Raises:
        InvalidInput: a header does not hold what it should.
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
    """Return the headers by which a receiver that calls back goes on with the chain.

    Args:
        correlation_id: of the event that is told.
        hops: of the event that is told.
    """
    return {CORRELATION: correlation_id, HOPS: str(hops + 1)}
