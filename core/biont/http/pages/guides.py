"""Guides: the documentation in Markdown, which comes with the package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_SECTIONS: Mapping[str, str] = {
    "tutorial": "Tutorials",
    "how-to": "How-to guides",
    "reference": "Reference",
    "explanation": "Explanation",
}
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_PLAIN = re.compile(r"(?!```)[\w`*(\[]")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class Guide:
    """Document of the documentation.

    Attributes:
        title: the heading.
        summary: the first sentence.
        text: the Markdown.
    """

    title: str
    summary: str
    text: str


@lru_cache(maxsize=1)
def load_guides() -> Mapping[str, Guide]:
    """Return all documents by their paths, such as ``reference/http``; cached, as files are."""
    root = _find_root()
    guides = {}
    for section in ("", *_SECTIONS):
        folder = root.joinpath(section) if section else root
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if file.name.endswith(".md"):
                name = file.name.removesuffix(".md")
                guides[f"{section}/{name}".lstrip("/")] = _read(file, name)
    return guides


def list_links() -> str:
    """Return a list of all documents in the format of llms.txt."""
    lines = []
    for section, heading in _SECTIONS.items():
        lines += [f"## {heading}", ""]
        lines += [
            f"- [{guide.title}](/docs/{path}.md): {guide.summary}"
            for path, guide in load_guides().items()
            if path.startswith(f"{section}/")
        ]
        lines.append("")
    return "\n".join(lines)


def _find_root() -> Traversable:
    packaged = files("biont.http.pages").joinpath("guides")
    # In a checkout, the documents are in the folder docs beside the packages.
    return packaged if packaged.is_dir() else Path(__file__).parents[4] / "docs"


def _read(file: Traversable, name: str) -> Guide:
    text = file.read_text(encoding="utf-8")
    title = _TITLE.search(text)
    return Guide(title[1] if title is not None else name, _summarise(text), text)


def _summarise(text: str) -> str:
    """Return the first sentence of a document, without links."""
    for paragraph in text.split("\n\n"):
        if _PLAIN.match(paragraph):
            plain = _LINK.sub(r"\1", " ".join(paragraph.split()))
            sentence, mark, _ = plain.partition(". ")
            return sentence + mark.rstrip()
    return ""
