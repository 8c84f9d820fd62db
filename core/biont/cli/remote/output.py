"""Output of commands: tables for people, and JSON for programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence

import click

from biont.client.json_types import JsonValue

_WIDEST_CELL = 40
_GAP = "  "


def print_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_line(value: object) -> None:
    """Print a value as JSON, in a line."""
    click.echo(json.dumps(value, ensure_ascii=False))


def print_rows(rows: Sequence[object]) -> None:
    """Print the items of a list as a table, with the columns that have room."""
    objects = [row for row in rows if isinstance(row, dict)]
    if not objects:
        click.echo("nothing found" if not rows else "\n".join(map(format_value, rows)))
        return
    names = list(dict.fromkeys(name for row in objects for name in row))
    # Columns without any value would take the room of others.
    names = [name for name in names if any(format_value(row.get(name)) for row in objects)]
    cells = [[_shorten(format_value(row.get(name))) for name in names] for row in objects]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    shown = _choose_columns(widths, shutil.get_terminal_size().columns)
    for row in ([name.upper() for name in names], *cells):
        line = _GAP.join(row[column].ljust(widths[column]) for column in shown)
        click.echo(line.rstrip())


def print_object(value: Mapping[str, object]) -> None:
    """Print an object, a line for each field."""
    width = max(map(len, value), default=0)
    for name, field in value.items():
        click.echo(f"{clean(name).ljust(width)}{_GAP}{format_value(field)}".rstrip())


def format_value(value: object) -> str:
    """Return a value in one line: a text as it is, anything else as JSON; empty for null."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return clean(text)


def clean(text: str) -> str:
    """Return a text without characters that would control the terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def print_value(value: JsonValue) -> None:
    """Print an answer for people."""
    if isinstance(value, dict):
        data = value.get("data")
        if isinstance(data, list):
            print_rows(data)
        else:
            print_object(value)
    elif isinstance(value, list):
        print_rows(value)
    else:
        click.echo(format_value(value))


def _choose_columns(widths: Sequence[int], room: int) -> list[int]:
    shown: list[int] = []
    for column, width in enumerate(widths):
        if shown and room < width:
            continue
        shown.append(column)
        room -= width + len(_GAP)
    return shown


def _shorten(text: str) -> str:
    return text if len(text) <= _WIDEST_CELL else f"{text[: _WIDEST_CELL - 3]}..."
