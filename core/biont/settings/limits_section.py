"""Section ``limits`` of the settings: rates of requests, and the number of keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from biont.settings.section import Section

_RATE = re.compile(r"([1-9][0-9]{0,9})/(second|minute|hour|day)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    """Number of requests in a time.

    Attributes:
        amount: the number of requests.
        seconds: the time, in seconds.
    """

    amount: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Return the rate of a text such as ``600/minute``.

        Raises:
            ValueError: the text is no rate.
        """
        found = _RATE.fullmatch(text)
        if found is None:
            raise ValueError("must be a number and a unit of time: 600/minute; or null for none")
        return cls(int(found[1]), _SECONDS[found[2]])


def _check_rate(text: str) -> str:
    Rate.parse(text)
    return text


RateText = Annotated[str, AfterValidator(_check_rate)]


class LimitSettings(Section):
    """Limits of requests, and of keys per user; null switches a limit off."""

    read: RateText | None = Field(
        "1000000/minute", description="Rate of requests by GET and HEAD for each user."
    )
    write: RateText | None = Field(
        "1000000/minute", description="Rate of all other requests for each user."
    )
    chat: RateText | None = Field(
        "600/minute", description="Rate of requests to a language model for each user."
    )
    public: RateText | None = Field(
        "6000/minute", description="Rate of requests without an API key for each address."
    )
    failed_keys: RateText | None = Field(
        "20/minute",
        description="Rate of requests with a wrong API key for each address; then each further "
        "one is refused for a time that doubles.",
    )
    keys: int | None = Field(
        1000, ge=1, description="Most API keys of one user that are neither revoked nor expired."
    )
