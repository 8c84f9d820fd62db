"""Export formats of the event log: JSON lines and CloudEvents 1.0."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import orjson

from biont_audit.tables import LogEntry

LineWriter = Callable[[Iterable[LogEntry]], Iterator[bytes]]
"""Function that turns entries into the lines of a document, line by line."""


def write_lines(entries: Iterable[LogEntry]) -> Iterator[bytes]:
    """Yield each entry as a line of JSON, with its hash."""
    # Fragment: the payload is JSON text already, and the export keeps each byte of it.
    for entry in entries:
        yield orjson.dumps(
            {
                "number": entry.number,
                "id": entry.event_id,
                "user_id": entry.user_id,
                "event_type": entry.event_type,
                "payload": orjson.Fragment(entry.payload),
                "created_at": entry.created_at,
                "correlation_id": entry.correlation_id,
                "causation_id": entry.causation_id,
                "hops": entry.hops,
                "origin": entry.origin,
                "hash": entry.hash,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )


def write_cloud_events(entries: Iterable[LogEntry]) -> Iterator[bytes]:
    """Yield the lines of one CloudEvents 1.0 batch in JSON, one event per line."""
    opening = b"["
    for entry in entries:
        yield opening + b"\n" + orjson.dumps(_to_cloud_event(entry))
        opening = b","
    yield (b"[]\n" if opening == b"[" else b"\n]\n")


FORMATS: Mapping[str, LineWriter] = {"jsonl": write_lines, "cloudevents": write_cloud_events}


def _to_cloud_event(entry: LogEntry) -> dict[str, object]:
    # CloudEvents allows only lower-case letters and digits in names: no `correlation_id`.
    document: dict[str, object] = {
        "specversion": "1.0",
        "id": entry.event_id,
        "source": f"/biont/users/{entry.user_id}",
        "type": entry.event_type,
        "time": entry.created_at,
        "datacontenttype": "application/json",
        "data": orjson.Fragment(entry.payload),
        "sequence": str(entry.number),
        "correlationid": entry.correlation_id,
    }
    if entry.causation_id is not None:
        document["causationid"] = entry.causation_id
    return document
