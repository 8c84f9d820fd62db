"""Hash chain: ties each entry of the event log to all entries before it.

Entries are numbered from 1 without gaps. The hash of an entry is the SHA-256, in hex, of the
hash before it (64 characters of ASCII) and the JSON array of its columns as they are
stored: number, event id, user id, event type, payload, creation time, correlation id,
causation id, hops, and origin if the event has one; as UTF-8, without spaces. Before the first
entry stands `ORIGIN`.

    ORIGIN ... anchor | entry --hash--> entry --hash--> ... --> head
      (deleted by retention)         (in the table)

The table ``event_log_ends`` holds one row with two links: the *anchor*, the last entry that
retention has deleted (`ORIGIN` at first), and the *head*, the newest entry. Two operations
move a link, each in one transaction with the rows:

- Append: the head moves from the number and hash that the writer knows. If the head is
  elsewhere, after a rollback for example, the writer reads the head and chains again.
- Retention: the anchor moves to the last deleted entry.

A crash undoes the rows and the link together, so the chain has no gap and no open end. A
changed, deleted, inserted or moved entry breaks a hash or a number, unless somebody computes
all later hashes again; ``biont audit verify --expect`` detects that as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import orjson

Row = tuple[int, str, int, str, str, str, str, str | None, int, str | None]
"""The columns of an entry, in the order in which they are hashed."""


@dataclass(frozen=True, slots=True)
class Link:
    """Place in the chain.

    Attributes:
        number: the number of an entry; 0 for the place before the first entry.
        hash: the hash of the entry, which covers all entries before.
    """

    number: int
    hash: str


ORIGIN = Link(0, sha256(b"biont event log").hexdigest())
"""The place before the first entry."""


def hash_row(previous_hash: str, row: Row) -> str:
    """Return the hash of an entry.

    Raises:
        TypeError: a column has a type that no entry has.
    """
    # Entries of earlier versions have no origin, and keep their hashes.
    hashed = row[:-1] if row[-1] is None else row
    return sha256(previous_hash.encode() + orjson.dumps(hashed)).hexdigest()
