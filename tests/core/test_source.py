"""The source keeps the rules that make it easy to read."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest
from docs.python_reference import PAGE, make_page
from support.source import ROOT, list_modules, list_public_names

GENERATED = ROOT / "core" / "biont" / "client" / "api"
QUESTION_WORDS = {"What", "Where", "Which", "Who", "Whom", "Why", "When", "Whether", "How"}


@pytest.mark.parametrize(
    "path", list(list_modules()), ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_docstring_begins_with_a_question_word(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = (ast.get_docstring(node) or "?").split()[0].strip(",:;.")
            assert first not in QUESTION_WORDS, ast.get_docstring(node)


def test_no_two_public_classes_share_a_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in list_modules():
        if path.is_relative_to(GENERATED):
            # Named by the API document, as the views of the server are.
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_every_public_name_has_a_docstring() -> None:
    assert [found for found in list_public_names() if not found.read_summary()] == []


def test_the_reference_lists_every_public_name() -> None:
    assert PAGE.read_text() == make_page(), "run python tests/docs/python_reference.py"
