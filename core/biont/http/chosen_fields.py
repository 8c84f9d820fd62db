"""Query parameter `fields`: only the named fields of an object, or of each item of a list."""

from __future__ import annotations

import typing
from collections.abc import Mapping

from aiohttp import web
from multidict import MultiDict, MultiMapping
from pydantic import BaseModel

from biont.exceptions import InputProblem, InvalidInput
from biont.http.paging import Page
from biont.schema import Schema

FIELDS = "fields"
"""The name of the parameter."""

Chosen = Mapping[str, "bool | Chosen"]
"""Names of fields, as the argument `include` of pydantic's serializers."""


class FieldChoice:
    """Fields that a client may choose from the answers of a route.

    Args:
        answer: the type of the answers.
    """

    def __init__(self, answer: type[Schema]) -> None:
        self._is_list = issubclass(answer, Page)
        item: object = answer
        if self._is_list:
            (item,) = typing.get_args(answer.model_fields["data"].annotation)
        self._names: frozenset[str] = frozenset()
        if isinstance(item, type) and issubclass(item, BaseModel):
            self._names = frozenset(item.model_fields)

    def read(self, http: web.BaseRequest) -> Chosen | None:
        """Return the fields that a request asks for; None for all.

        Raises:
            InvalidInput: the parameter is given twice, or names an unknown field.
        """
        # The path first: parsing the query takes longer than most answers without one.
        if FIELDS not in http.raw_path or FIELDS not in http.query:
            return None
        texts = http.query.getall(FIELDS)
        names = texts[0].split(",")
        if len(texts) > 1 or not self._names.issuperset(names):
            known = ", ".join(sorted(self._names))
            problem = f"must be given once, with names of fields and commas between: {known}"
            raise InvalidInput(InputProblem(problem, FIELDS))
        chosen = dict.fromkeys(names, True)
        return {"data": {"__all__": chosen}, "next": True} if self._is_list else chosen


def drop_fields(query: MultiMapping[str]) -> MultiMapping[str]:
    """Return the query without the parameter `fields`."""
    if FIELDS not in query:
        return query
    return MultiDict((name, text) for name, text in query.items() if name != FIELDS)


def make_choice(answer: object) -> FieldChoice | None:
    """Return the choice of fields of an answer; None for an answer that is no object."""
    if isinstance(answer, type) and issubclass(answer, Schema):
        return FieldChoice(answer)
    return None
