"""Field types of the settings of the built-in kinds."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from yarl import URL

_URL_LIMIT = 2000


class KindSettings(BaseModel):
    """Base class of the settings of the built-in kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _check_url(text: str) -> str:
    try:
        url = URL(text)
        is_usable = url.scheme in ("http", "https") and bool(url.host) and bool(url.port)
    except ValueError:
        is_usable = False
    if not is_usable:
        # Without the text, which may be a secret.
        raise ValueError("must be a URL that begins with http:// or https://")
    return text


def _check_secret_url(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) > _URL_LIMIT:
        raise ValueError(f"must have at most {_URL_LIMIT} characters")
    _check_url(text)
    return secret


def _check_header_value(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) > _URL_LIMIT or not (text.isascii() and text.isprintable()):
        raise ValueError(f"must be at most {_URL_LIMIT} printable ASCII characters")
    return secret


SecretUrl = Annotated[SecretStr, AfterValidator(_check_secret_url)]
"""URL that is a secret, such as that of an incoming webhook."""

ServerUrl = Annotated[str, Field(max_length=500), AfterValidator(_check_url)]
"""URL of a server."""

HeaderValue = Annotated[SecretStr, AfterValidator(_check_header_value)]
"""Secret that is sent in a header."""

Headers = Annotated[
    dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")],
        HeaderValue,
    ],
    Field(max_length=20),
]
"""Headers of each message; the values are secrets."""
