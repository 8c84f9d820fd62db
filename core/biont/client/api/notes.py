# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``notes``: notes with tags, full-text search, versions and exports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack, cast

from biont.client.api.shared_models import OperationView, RowCount, Sort
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.pages import Pages

Format: TypeAlias = Literal["jsonl", "markdown"]
"""Export format of notes."""


class HitView(TypedDict):
    """A match of a search.

    Attributes:
        excerpt: The matches with the text around them.
    """

    note_id: int
    title: str
    tags: list[str]
    excerpt: list[PartView]


class NewNote(TypedDict):
    """A note to create.

    Attributes:
        content: Markdown.
    """

    title: str
    content: NotRequired[str]
    tags: NotRequired[Sequence[str]]


class NoteChange(TypedDict):
    """Fields of a note to change, as a JSON merge patch (RFC 7396).

    Attributes:
        content: Markdown.
        version: The version that you have read; with another one the answer is 412.
    """

    title: NotRequired[str]
    content: NotRequired[str]
    tags: NotRequired[Sequence[str]]
    version: NotRequired[int]


class NoteSelection(TypedDict):
    """Notes to delete; a note must match all given fields, of which one is needed.

    Attributes:
        ids: Only these.
        since: Made at this instant or later.
        until: Made before this instant.
        dry_run: Only count what the act would change. By default `false`.
        tag: With this tag.
    """

    ids: NotRequired[Sequence[int] | None]
    since: NotRequired[str | datetime | None]
    until: NotRequired[str | datetime | None]
    dry_run: NotRequired[bool]
    tag: NotRequired[str | None]


class NoteTagging(TypedDict):
    """Notes whose tags to change, and the tags; a note must match all given fields.

    Attributes:
        ids: Only these.
        since: Made at this instant or later.
        until: Made before this instant.
        dry_run: Only count what the act would change. By default `false`.
        tag: With this tag.
        add: Tags to add.
        remove: Tags to remove.
    """

    ids: NotRequired[Sequence[int] | None]
    since: NotRequired[str | datetime | None]
    until: NotRequired[str | datetime | None]
    dry_run: NotRequired[bool]
    tag: NotRequired[str | None]
    add: NotRequired[Sequence[str]]
    remove: NotRequired[Sequence[str]]


class NoteView(TypedDict):
    """A note.

    Attributes:
        version: 1, plus the number of changes.
        source: Origin of a note that no person wrote: `run-7`.
        source_url: REST path of the origin.
        origin: Event by which text of another system came in that the note may repeat; null for
            none.
    """

    id: int
    title: str
    content: str
    tags: list[str]
    version: int
    source: str | None
    source_url: str | None
    origin: str | None
    created_at: str
    updated_at: str


class PartView(TypedDict):
    """A piece of an excerpt.

    Attributes:
        match: True for a match of the search.
    """

    text: str
    match: bool


class TagView(TypedDict):
    """A tag and the number of its notes."""

    tag: str
    notes: int


class VersionView(TypedDict):
    """An earlier version of a note.

    Attributes:
        created_at: The time at which this version was made.
    """

    version: int
    title: str
    content: str
    tags: list[str]
    created_at: str


class Notes(OperationGroup):
    """Notes with tags, full-text search, versions and exports."""

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewNote],
    ) -> NoteView:
        """Create a note.

        The event `note_created` is emitted in the same transaction.

        Needs an API key of scope `full`.
        """
        return self._read(
            NoteView,
            make_call(
                "POST",
                "/api/v1/notes",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        tag: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[NoteView]:
        """List your notes, the newest first; filter by `tag`.

        The list follows the cursor: notes that are created meanwhile shift no page.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            NoteView,
            make_call(
                "GET",
                "/api/v1/notes",
                query={
                    "tag": tag,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def search(
        self,
        *,
        q: str,
        tag: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[HitView]:
        """Search your notes by words, the best match first.

        `excerpt` has the matches with the text around them.

        Needs an API key of scope `full` or `read`.

        Args:
            q: Words that must all occur; `plan*` matches a prefix, `"to do"` a phrase.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            HitView,
            make_call(
                "GET",
                "/api/v1/notes/search",
                query={"q": q, "tag": tag, "limit": limit, "fields": fields},
            ),
            cursor,
        )

    def list_tags(
        self,
        *,
        fields: str | None = None,
    ) -> Pages[TagView]:
        """List the 1000 most used tags of your notes, the most used first.

        Each tag has the number of its notes.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            TagView,
            make_call("GET", "/api/v1/notes/tags", query={"fields": fields}),
            None,
        )

    def export(
        self,
        *,
        format: Format | None = None,
    ) -> bytes:
        """Export all your notes, the oldest first, as JSON lines or a ZIP of Markdown files.

        JSON lines are one note a line. A request with `Accept: application/octet-stream` gets
        the same
        bytes with this media type.

        Needs an API key of scope `full` or `read`.
        """
        return self._read_bytes(
            make_call("GET", "/api/v1/notes/export", query={"format": format}),
        )

    def read(
        self,
        note_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> NoteView:
        """Read a note.

        The status is 404 for a note of another user.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            NoteView,
            make_call(
                "GET",
                "/api/v1/notes/{}",
                (note_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def change(
        self,
        note_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[NoteChange],
    ) -> NoteView:
        """Change a note; the old text stays as an earlier version.

        Fields that are left out do not change; `tags` replaces all tags.
        With `version`, as with `If-Match`, a note that has changed since is not changed.

        Needs an API key of scope `full`.
        """
        return self._read(
            NoteView,
            make_call(
                "PATCH",
                "/api/v1/notes/{}",
                (note_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    def delete(
        self,
        note_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a note and all versions.

        The id is never given again.

        Needs an API key of scope `full`.
        """
        self._finish(
            make_call(
                "DELETE",
                "/api/v1/notes/{}",
                (note_id,),
                headers={"If-Match": if_match},
            ),
        )

    def read_markdown(
        self,
        note_id: int,
        /,
    ) -> str:
        """Read a note as Markdown, after its other fields as YAML.

        The file is the same as in the export.

        Needs an API key of scope `full` or `read`.
        """
        return self._read_text(
            make_call("GET", "/api/v1/notes/{}/markdown", (note_id,)),
        )

    def delete_many_notes(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NoteSelection],
    ) -> OperationView | RowCount:
        """Delete notes with their versions, or count them in a dry run.

        The deletion is an operation of the kind `note_delete`, which `Location` names. A dry
        run
        begins nothing: the answer is the number, without `Location`.

        Needs an API key of scope `full`.
        """
        return self._read(
            cast("type[OperationView | RowCount]", object),
            make_call(
                "POST",
                "/api/v1/notes/delete",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def tag_many_notes(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NoteTagging],
    ) -> OperationView | RowCount:
        """Add tags to notes and remove tags from them, or count the notes in a dry run.

        The act is an operation of the kind `note_tag`, which `Location` names. A note that
        would have
        more than 20 tags counts as failed, and does not change.

        Needs an API key of scope `full`.
        """
        return self._read(
            cast("type[OperationView | RowCount]", object),
            make_call(
                "POST",
                "/api/v1/notes/tag",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list_versions(
        self,
        note_id: int,
        /,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[VersionView]:
        """List the last 100 earlier versions of a note, the latest first.

        A version is the note before a change.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            VersionView,
            make_call(
                "GET",
                "/api/v1/notes/{}/versions",
                (note_id,),
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def read_version(
        self,
        note_id: int,
        version: int,
        /,
        *,
        fields: str | None = None,
    ) -> VersionView:
        """Read an earlier version of a note.

        The status is 404 if there is no such version, or not any more.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            VersionView,
            make_call(
                "GET",
                "/api/v1/notes/{}/versions/{}",
                (note_id, version),
                query={"fields": fields},
            ),
        )


class AsyncNotes(AsyncOperationGroup):
    """Notes with tags, full-text search, versions and exports."""

    async def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewNote],
    ) -> NoteView:
        """Create a note.

        The event `note_created` is emitted in the same transaction.

        Needs an API key of scope `full`.
        """
        return await self._read(
            NoteView,
            make_call(
                "POST",
                "/api/v1/notes",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        tag: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[NoteView]:
        """List your notes, the newest first; filter by `tag`.

        The list follows the cursor: notes that are created meanwhile shift no page.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            NoteView,
            make_call(
                "GET",
                "/api/v1/notes",
                query={
                    "tag": tag,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def search(
        self,
        *,
        q: str,
        tag: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[HitView]:
        """Search your notes by words, the best match first.

        `excerpt` has the matches with the text around them.

        Needs an API key of scope `full` or `read`.

        Args:
            q: Words that must all occur; `plan*` matches a prefix, `"to do"` a phrase.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            HitView,
            make_call(
                "GET",
                "/api/v1/notes/search",
                query={"q": q, "tag": tag, "limit": limit, "fields": fields},
            ),
            cursor,
        )

    def list_tags(
        self,
        *,
        fields: str | None = None,
    ) -> AsyncPages[TagView]:
        """List the 1000 most used tags of your notes, the most used first.

        Each tag has the number of its notes.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            TagView,
            make_call("GET", "/api/v1/notes/tags", query={"fields": fields}),
            None,
        )

    async def export(
        self,
        *,
        format: Format | None = None,
    ) -> bytes:
        """Export all your notes, the oldest first, as JSON lines or a ZIP of Markdown files.

        JSON lines are one note a line. A request with `Accept: application/octet-stream` gets
        the same
        bytes with this media type.

        Needs an API key of scope `full` or `read`.
        """
        return await self._read_bytes(
            make_call("GET", "/api/v1/notes/export", query={"format": format}),
        )

    async def read(
        self,
        note_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> NoteView:
        """Read a note.

        The status is 404 for a note of another user.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            NoteView,
            make_call(
                "GET",
                "/api/v1/notes/{}",
                (note_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def change(
        self,
        note_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[NoteChange],
    ) -> NoteView:
        """Change a note; the old text stays as an earlier version.

        Fields that are left out do not change; `tags` replaces all tags.
        With `version`, as with `If-Match`, a note that has changed since is not changed.

        Needs an API key of scope `full`.
        """
        return await self._read(
            NoteView,
            make_call(
                "PATCH",
                "/api/v1/notes/{}",
                (note_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    async def delete(
        self,
        note_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a note and all versions.

        The id is never given again.

        Needs an API key of scope `full`.
        """
        await self._finish(
            make_call(
                "DELETE",
                "/api/v1/notes/{}",
                (note_id,),
                headers={"If-Match": if_match},
            ),
        )

    async def read_markdown(
        self,
        note_id: int,
        /,
    ) -> str:
        """Read a note as Markdown, after its other fields as YAML.

        The file is the same as in the export.

        Needs an API key of scope `full` or `read`.
        """
        return await self._read_text(
            make_call("GET", "/api/v1/notes/{}/markdown", (note_id,)),
        )

    async def delete_many_notes(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NoteSelection],
    ) -> OperationView | RowCount:
        """Delete notes with their versions, or count them in a dry run.

        The deletion is an operation of the kind `note_delete`, which `Location` names. A dry
        run
        begins nothing: the answer is the number, without `Location`.

        Needs an API key of scope `full`.
        """
        return await self._read(
            cast("type[OperationView | RowCount]", object),
            make_call(
                "POST",
                "/api/v1/notes/delete",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    async def tag_many_notes(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NoteTagging],
    ) -> OperationView | RowCount:
        """Add tags to notes and remove tags from them, or count the notes in a dry run.

        The act is an operation of the kind `note_tag`, which `Location` names. A note that
        would have
        more than 20 tags counts as failed, and does not change.

        Needs an API key of scope `full`.
        """
        return await self._read(
            cast("type[OperationView | RowCount]", object),
            make_call(
                "POST",
                "/api/v1/notes/tag",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list_versions(
        self,
        note_id: int,
        /,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[VersionView]:
        """List the last 100 earlier versions of a note, the latest first.

        A version is the note before a change.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            VersionView,
            make_call(
                "GET",
                "/api/v1/notes/{}/versions",
                (note_id,),
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def read_version(
        self,
        note_id: int,
        version: int,
        /,
        *,
        fields: str | None = None,
    ) -> VersionView:
        """Read an earlier version of a note.

        The status is 404 if there is no such version, or not any more.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            VersionView,
            make_call(
                "GET",
                "/api/v1/notes/{}/versions/{}",
                (note_id, version),
                query={"fields": fields},
            ),
        )
