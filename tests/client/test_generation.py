"""The generated code of `biont.client` belongs to the present API document."""

from __future__ import annotations

import orjson
from client.generate import COMMANDS, FOLDER, GROUPS, write_files

from biont.application import Application
from biont.client.operation_names import shorten_names


def test_the_generated_files_are_those_of_the_present_document(application: Application) -> None:
    files = write_files(orjson.loads(application.openapi))

    remedy = "run PYTHONPATH=tests python tests/client/generate.py"
    assert {*FOLDER.glob("*.py"), COMMANDS, GROUPS} == set(files), remedy
    for path, text in files.items():
        assert path.read_text() == text, f"{path.name} is old: {remedy}"


def test_the_noun_of_a_group_is_left_out_of_its_operations() -> None:
    names = shorten_names(
        [
            ("notes", "create_note"),
            ("notes", "list_notes"),
            ("notes", "read_note_markdown"),
            ("notes", "list_tags"),
            ("schedule", "run_schedule"),
            ("mixed", "read_mixed"),
            ("mixed", "read_mixeds"),
        ]
    )

    assert list(names.values()) == [
        "create",
        "list",
        "read_markdown",
        "list_tags",
        "run",
        "read_mixed",
        "read_mixeds",
    ]
