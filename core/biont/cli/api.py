"""Command ``biont api``: compare API documents."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from biont.exceptions import BiontError

if TYPE_CHECKING:
    from biont.api_diff.changes import ApiChange

_SHOWN = 3


@click.group("api")
def command() -> None:
    """Compare API documents."""


@command.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--json", "as_json", is_flag=True, help="Print the changes as JSON.")
def diff(old: str, new: str, *, as_json: bool) -> None:
    """Say which changes from the API document OLD to NEW break clients; fail if any does.

    OLD and NEW are files or URLs of OpenAPI documents, or the URL of a workbench.
    """
    from biont.api_diff.operations import compare_documents
    from biont.api_diff.references import BrokenReference

    try:
        changes = compare_documents(_read(old), _read(new))
    except BrokenReference as error:
        raise BiontError(f"a document is not a valid OpenAPI document: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise BiontError(f"a document is not a valid OpenAPI document: {error!r}") from error
    breaking = [change for change in changes if change.breaks]
    if as_json:
        rows = [
            {"place": each.place, "change": each.text, "breaks": each.breaks} for each in changes
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print("Changes that break clients", breaking)
        _print("Other changes", [change for change in changes if not change.breaks])
        if not breaking:
            click.echo("no change breaks clients")
    sys.exit(1 if breaking else 0)


def _print(title: str, changes: list[ApiChange]) -> None:
    if changes:
        click.echo(f"{title}:")
    by_text: dict[str, list[str]] = {}
    for change in changes:
        by_text.setdefault(change.text, []).append(change.place)
    for text, places in by_text.items():
        # A change of a shared part concerns very many operations.
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        click.echo(f"  {', '.join(places[:_SHOWN])}{more}: {text}")


def _read(source: str) -> dict[str, Any]:
    if source.startswith(("http://", "https://")):
        content = _fetch(source)
    else:
        try:
            content = Path(source).read_bytes()
        except OSError as error:
            raise BiontError(f"the document cannot be read: {error}") from error
    try:
        document = json.loads(content)
    except ValueError as error:
        raise BiontError(f"{source} is not JSON: {error}") from error
    if not isinstance(document, dict) or "paths" not in document:
        raise BiontError(f"{source} is not an OpenAPI document: it has no `paths`")
    return document


def _fetch(url: str) -> bytes:
    import httpx2

    if not url.endswith(".json"):
        url = f"{url.rstrip('/')}/api/v1/openapi.json"
    try:
        answer = httpx2.get(url, timeout=30, follow_redirects=True)
    except httpx2.HTTPError as error:
        raise BiontError(f"{url} does not answer: {error}") from error
    if answer.status_code != 200:
        raise BiontError(f"{url} answers {answer.status_code}; download the document to a file")
    return answer.content
