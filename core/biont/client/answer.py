"""Answer of the server to one attempt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from biont.client.errors import ClientError, read_error


class _TaggedObject(dict[str, object]):
    """A JSON object with the entity tag of its answer."""

    def __init__(self, value: Mapping[str, object], etag: str) -> None:
        super().__init__(value)
        self.etag = etag


def get_etag(result: Mapping[str, object]) -> str:
    """Return the entity tag of a result, for the argument `if_match` of a later change.

    Raises:
        ValueError: the server has sent no entity tag, or `result` is a copy.
    """
    if not isinstance(result, _TaggedObject):
        raise ValueError("the result has no entity tag; pass a result of the client as it is")  # noqa: TRY004  # as documented
    return result.etag


@dataclass(frozen=True)
class ServerAnswer:
    """Answer of the server.

    Attributes:
        status: the HTTP status.
        headers: the headers, by names in lower case.
        content: the body.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    def check(self) -> None:
        """Check that the answer is a success.

        Raises:
            ApiError: the server answers with an error.
        """
        if not 200 <= self.status < 300:
            raise read_error(self.status, self.headers, self.content)

    def read_json(self) -> object:
        """Return the JSON value of the body; None for an empty body.

        Raises:
            ClientError: the body is not JSON.
        """
        if not self.content:
            return None
        try:
            value: object = json.loads(self.content)
        except ValueError as error:
            raise ClientError(
                f"the answer is not JSON, so the URL may not be a workbench's: {error}"
            ) from error
        etag = self.headers.get("etag")
        return _TaggedObject(value, etag) if isinstance(value, dict) and etag else value
