"""Full-text search in SQLite (FTS5): what users write, and what they are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class SnippetPart:
    """A piece of a text, and whether it is what was looked for."""

    text: str
    is_match: bool


def quote_words(query: str) -> str:
    """Return an FTS5 query for all words of `query`, in which nothing else is an operator.

    ``plan*`` finds what begins so, and ``"to do"`` the words one after the other.
    """
    # SQLite reads text up to the first NUL, and would miss the closing quote.
    terms = re.findall(r'"([^"]+)"|([^\s"]+)', query.replace("\0", " "))
    quoted = [_quote(phrase or word) for phrase, word in terms]
    return " ".join(quoted) or '""'


def split_snippet(snippet: str) -> list[SnippetPart]:
    """Tell what was found from what stands around it.

    Args:
        snippet: what ``snippet(table, column, char(2), char(3), '…', words)`` returned.
    """
    parts: list[SnippetPart] = []
    for index, piece in enumerate(re.split("[\x02\x03]", snippet)):
        if piece:
            parts.append(SnippetPart(piece, is_match=index % 2 == 1))
    return parts


def _quote(term: str) -> str:
    words = term.rstrip("*").replace('"', " ")
    return f'"{words}"' + ("*" if term.endswith("*") else "")
