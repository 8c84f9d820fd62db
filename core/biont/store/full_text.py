"""Full-text search in SQLite (FTS5): queries from user input, and snippets of matches."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class SnippetPart:
    """A piece of a snippet, either a match or the text around a match."""

    text: str
    is_match: bool


def quote_words(query: str) -> str:
    """Return an FTS5 query that finds texts with all words of `query`.

    ``plan*`` finds words with that prefix, and ``"to do"`` finds the phrase. Every other
    operator of FTS5 is quoted and so means plain text.
    """
    # SQLite reads text up to the first NUL and would miss the closing quote.
    terms = re.findall(r'"([^"]+)"|([^\s"]+)', query.replace("\0", " "))
    quoted = [_quote(phrase or word) for phrase, word in terms]
    return " ".join(quoted) or '""'


def split_snippet(snippet: str) -> list[SnippetPart]:
    """Split `snippet` into matches and the text around matches.

    Args:
        snippet: the result of ``snippet(table, column, char(2), char(3), '…', words)``.
    """
    parts: list[SnippetPart] = []
    for index, piece in enumerate(re.split("[\x02\x03]", snippet)):
        if piece:
            parts.append(SnippetPart(piece, is_match=index % 2 == 1))
    return parts


def _quote(term: str) -> str:
    words = term.rstrip("*").replace('"', " ")
    return f'"{words}"' + ("*" if term.endswith("*") else "")
