"""Acts on many notes, as operations: delete them, or change their tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import orjson
from peewee import SQL, Expression
from pydantic import Field, model_validator

from biont import OwnedTable, Transaction, Workbench
from biont.operations import Chunk, Counts, OperationKind, Part, RowChoice, count_rows, find_rows
from biont.store import dump_json
from biont_notes.notes import change_note
from biont_notes.tables import Note
from biont_notes.views import TAG_LIMIT, Tag, Tags

NOTE_DELETE = "note_delete"
"""The operation kind that deletes notes."""

NOTE_TAG = "note_tag"
"""The operation kind that changes the tags of notes."""


class NoteSelection(RowChoice):
    """Notes to delete; a note must match all given fields, of which one is needed."""

    tag: Tag | None = Field(None, description="With this tag.")

    def has_condition(self) -> bool:
        """Return whether any field chooses notes."""
        return self.tag is not None or super().has_condition()

    def list_filters(self, table: type[OwnedTable]) -> Sequence[Expression | SQL]:
        """Return the conditions of the chosen notes, besides those of time."""
        filters: list[Expression | SQL] = list(super().list_filters(table))
        if self.tag is not None:
            filters.append(
                SQL("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)", [self.tag])
            )
        return filters


class NoteTagging(NoteSelection):
    """Notes whose tags to change, and the tags; a note must match all given fields."""

    add: Tags = Field(default_factory=list, description="Tags to add.")
    remove: Tags = Field(default_factory=list, description="Tags to remove.")

    @model_validator(mode="after")
    def _check_tags(self) -> Self:
        if not self.add and not self.remove:
            raise ValueError("must have tags to add or to remove")
        return self

    def change(self, tags: Sequence[str]) -> list[str]:
        """Return the changed tags of a note."""
        kept = [tag for tag in tags if tag not in self.remove]
        return list(dict.fromkeys([*kept, *self.add]))


async def _delete_some(part: Part, workbench: Workbench) -> Chunk:
    choice = part.parameters_as(NoteSelection)
    found = await workbench.store.read(find_rows, part, choice, Note)

    def write(_: Transaction) -> Counts:
        mine = (Note.user == part.user_id, Note.id.in_(found.ids))
        # Again, because a note may have other tags since the read.
        done = Note.delete().where(*mine, *choice.list_filters(Note)).execute()
        return Counts(done=done, skipped=len(found.ids) - done)

    return Chunk(write, found.cursor)


async def _tag_some(part: Part, workbench: Workbench) -> Chunk:
    choice = part.parameters_as(NoteTagging)
    found = await workbench.store.read(find_rows, part, choice, Note)
    now = workbench.clock.now()

    def write(_: Transaction) -> Counts:
        done = failed = 0
        # Deleted notes are missing here, and count as nothing.
        for note in Note.of_user(part.user_id).where(Note.id.in_(found.ids)):
            present = orjson.loads(note.tags)
            tags = choice.change(present)
            if len(tags) > max(TAG_LIMIT, len(present)):
                failed += 1
            elif tags != present:
                change_note(part.user_id, note.id, {"tags": dump_json(tags)}, now)
                done += 1
        return Counts(done=done, failed=failed, skipped=len(found.ids) - done - failed)

    return Chunk(write, found.cursor)


def _count_chosen(part: Part) -> tuple[int, str | None]:
    return count_rows(part, part.parameters_as(NoteSelection), Note)


def _count_tagged(part: Part) -> tuple[int, str | None]:
    return count_rows(part, part.parameters_as(NoteTagging), Note)


OPERATION_KINDS = (
    OperationKind(NOTE_DELETE, NoteSelection, _delete_some, _count_chosen),
    OperationKind(NOTE_TAG, NoteTagging, _tag_some, _count_tagged),
)
