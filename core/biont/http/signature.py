"""Signature of a route function: its parameters, body and response, read from annotations."""

from __future__ import annotations

import inspect
import operator
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from string import Formatter

from aiohttp import web
from pydantic import BaseModel, ConfigDict, TypeAdapter, create_model

from biont.exceptions import PluginError
from biont.http.api import Route
from biont.http.paging import Page
from biont.http.request import Request
from biont.http.text_parameters import TextRule, find_rule
from biont.schema import Schema

BODY = "body"
"""Name of the parameter that gets the JSON body."""


@dataclass(frozen=True)
class Signature:
    """Input and output of a route.

    Attributes:
        path_names: the names of the parameters in the path.
        parameters: the model of all path and query parameters.
        groups: the models of parameters that stand for several, by the parameter's name.
        texts: the permitted texts of each parameter.
        body: validates the JSON body; None for a route without a body.
        body_is_required: whether a request must have a body.
        answer_type: the type of the result.
        answer: encodes the result as JSON; None for an empty response.
        answers_page: whether the result is a page of a list.
        has_forms: whether the result has one of several types.
        may_respond: whether the function may build the response itself. Testing each result
            for being a response is slow, and most routes never return a response.
        streams: whether the function writes its response piece by piece.
    """

    path_names: frozenset[str]
    parameters: type[BaseModel]
    groups: Mapping[str, type[Schema]]
    texts: Mapping[str, TextRule]
    body: TypeAdapter[object] | None
    body_is_required: bool
    answer_type: object
    answer: TypeAdapter[object] | None
    answers_page: bool
    has_forms: bool
    may_respond: bool
    streams: bool

    def answers_with(self, view: type[BaseModel]) -> bool:
        """Return whether the result is always a `view`."""
        answer = self.answer_type
        return isinstance(answer, type) and issubclass(answer, view)


@lru_cache(maxsize=1024)
def read_signature(owner: str, route: Route) -> Signature:
    """Return the signature of a route function; cached, because tests open many workbenches.

    Raises:
        PluginError: the signature is incomplete; the message names the plugin.
    """
    hints = _read_hints(owner, route)
    path_names = frozenset(name for _, name, _, _ in Formatter().parse(route.path) if name)
    answer = _drop_response(hints["return"])
    groups = _find_groups(hints)
    single = {name: hint for name, hint in hints.items() if name not in groups}
    grouped = [typing.get_type_hints(model, include_extras=True) for model in groups.values()]
    rules = [(name, hint) for each in (single, *grouped) for name, hint in each.items()]
    return Signature(
        path_names=path_names,
        parameters=_make_parameters(owner, route, single, groups.values(), path_names),
        groups=groups,
        texts={name: find_rule(hint) for name, hint in rules},
        body=_adapt(hints[BODY]) if BODY in hints else None,
        body_is_required=_is_required(route),
        answer_type=answer,
        answer=None if answer is type(None) else _adapt(answer),
        answers_page=isinstance(answer, type) and issubclass(answer, Page),
        has_forms=isinstance(answer, types.UnionType),
        may_respond=answer is not hints["return"],
        streams=hints["return"] is web.StreamResponse,
    )


def _is_required(route: Route) -> bool:
    body = inspect.signature(route.function).parameters.get(BODY)
    return body is not None and body.default is inspect.Parameter.empty


def _read_hints(owner: str, route: Route) -> dict[str, object]:
    place = f"plugin {owner}, {route.method} {route.path}"
    hints: dict[str, object] = typing.get_type_hints(route.function, include_extras=True)
    names = list(inspect.signature(route.function).parameters)
    if not names or hints.get(names[0]) is not Request:
        raise PluginError(f"{place}: the function's first parameter must be a Request")
    missing = [name for name in [*names, "return"] if name not in hints]
    if missing:
        raise PluginError(f"{place}: annotate {', '.join(missing)}")
    del hints[names[0]]
    return hints


def _find_groups(hints: Mapping[str, object]) -> dict[str, type[Schema]]:
    return {
        name: hint
        for name, hint in hints.items()
        if name not in (BODY, "return") and isinstance(hint, type) and issubclass(hint, Schema)
    }


def _make_parameters(
    owner: str,
    route: Route,
    hints: Mapping[str, object],
    groups: Iterable[type[Schema]],
    path_names: frozenset[str],
) -> type[BaseModel]:
    signature = inspect.signature(route.function)
    names = [name for name in hints if name not in (BODY, "return")]
    absent = path_names - set(names)
    if absent:
        raise PluginError(
            f"plugin {owner}, {route.method} {route.path}: "
            f"the function lacks the path's parameter {', '.join(sorted(absent))}"
        )
    fields: dict[str, tuple[object, object]] = {}
    for name in names:
        default = signature.parameters[name].default
        fields[name] = (hints[name], ... if default is inspect.Parameter.empty else default)
    for group in groups:
        fields |= {name: (field.annotation, field) for name, field in group.model_fields.items()}
    # Deferred: most routes of a process are never called, and building a validator is slow.
    config = ConfigDict(extra="forbid", defer_build=True)
    # The fields are computed here, and pydantic's types of create_model allow only literal ones.
    return typing.cast(
        "type[BaseModel]",
        create_model("Parameters", __config__=config, **fields),  # type: ignore[call-overload]  # as said
    )


def _adapt(annotation: object) -> TypeAdapter[object]:
    return TypeAdapter(typing.cast("type[object]", annotation))


def _drop_response(answer: object) -> object:
    """Return an annotation without the responses that a function builds itself."""
    if isinstance(answer, type) and issubclass(answer, web.StreamResponse):
        return type(None)
    if web.StreamResponse in typing.get_args(answer):
        rest = [part for part in typing.get_args(answer) if part is not web.StreamResponse]
        return reduce(operator.or_, rest)
    return answer
