"""The chain that ties each entry of the log to all before it.

Entries are numbered from 1 without gaps. The hash of an entry is the SHA-256, in
hex, of the hash before it (64 characters of ASCII) and the JSON array of its columns
as they are stored: number, event id, user id, event type, payload, creation time,
correlation id, causation id, hops; as UTF-8, without spaces. So nothing can be
changed, removed, put in between or moved without a trace, unless every later hash is
made anew as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import orjson

Row = tuple[int, str, int, str, str, str, str, str | None, int]
"""The columns of an entry, in the order in which they are hashed."""


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the chain.

    Attributes:
        number: of the entry; 0 for what is before the first.
        hash: of the entry, and so of all before it.
    """

    number: int
    hash: str


ORIGIN = Link(0, sha256(b"biont event log").hexdigest())
"""What the first entry is tied to."""


def hash_row(previous_hash: str, row: Row) -> str:
    """Return the hash of an entry.

    Raises:
        TypeError: a column holds what no entry ever held.
    """
    return sha256(previous_hash.encode() + orjson.dumps(row)).hexdigest()
