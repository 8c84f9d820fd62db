"""Entity tags: the state of an object in the header ``ETag`` (RFC 9110, section 8.8.3).

A tag has up to two parts: ``"edit.content"``. The first is made from what clients can change,
the second from the whole answer; the second is left out while both would be equal. A count or
a time that the workbench itself keeps changes the second part alone. So ``If-None-Match`` notices
every difference of an answer, and ``If-Match`` only the changes that a client could overwrite.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from aiohttp import hdrs, web
from pydantic import TypeAdapter

from biont.exceptions import InputProblem, InvalidInput
from biont.http.compression import drop_coding
from biont.schema import Schema

# One tag and what follows it, so that no text can be read in two ways.
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,[, \t]*|$)')
_DIGEST_SIZE = 9


@dataclass(frozen=True, slots=True)
class EntityTag:
    """Tag of a request, without its quotes."""

    text: str
    is_weak: bool

    @property
    def edit(self) -> str:
        """The part that is made from what clients can change."""
        return self.text.partition(".")[0]


class Tagger:
    """Makes the entity tags of a kind of object.

    Args:
        view: the class of the object's views.
    """

    def __init__(self, view: type[Schema]) -> None:
        self.view = view
        self._adapter: TypeAdapter[Schema] = TypeAdapter(view)
        self._state = set(view.state_fields)

    def make_tag(self, view: Schema, content: bytes | None = None) -> str:
        """Return the text of a tag, without quotes.

        Args:
            view: the object.
            content: the answer that the tag describes; None for the view alone.
        """
        write = self._adapter.serializer.to_json
        edit = write(view, exclude=self._state) if self._state else write(view)
        if content is None:
            content = write(view) if self._state else edit
        if content == edit:
            return _digest(edit)
        return f"{_digest(edit)}.{_digest(content)}"


def read_tags(http: web.BaseRequest, name: str) -> list[EntityTag] | None:
    """Return the tags of ``If-Match`` or ``If-None-Match``; None for ``*``, which is any.

    Raises:
        InvalidInput: the header is neither ``*`` nor a list of tags.
    """
    text = ", ".join(http.headers.getall(name)).strip(" \t,")
    if text == "*":
        return None
    tags, place = [], 0
    while place < len(text) and (found := _TAG.match(text, place)) is not None:
        tags.append(EntityTag(drop_coding(found[2]), found[1] is not None))
        place = found.end()
    if not tags or place < len(text):
        raise InvalidInput(
            InputProblem('must be * or entity tags in quotes, such as "a1b2", as ETag has', name)
        )
    return tags


def is_known(http: web.BaseRequest, tag: str) -> bool:
    """Return whether ``If-None-Match`` has `tag`: the client needs no answer.

    Raises:
        InvalidInput: the header is not valid.
    """
    if hdrs.IF_NONE_MATCH not in http.headers:
        return False
    known = read_tags(http, hdrs.IF_NONE_MATCH)
    return known is None or any(each.text == tag for each in known)


def is_wanted(http: web.BaseRequest, tag: str) -> bool:
    """Return whether ``If-Match`` permits an object with `tag`.

    Raises:
        InvalidInput: the header is not valid.
    """
    if hdrs.IF_MATCH not in http.headers:
        return True
    wanted = read_tags(http, hdrs.IF_MATCH)
    edit = tag.partition(".")[0]
    return wanted is None or any(each.edit == edit and not each.is_weak for each in wanted)


def _digest(content: bytes) -> str:
    digest = hashlib.blake2b(content, digest_size=_DIGEST_SIZE).digest()
    return base64.urlsafe_b64encode(digest).decode()
