"""Texts of path and query parameters: one spelling for each value.

JSON has types, and a URL has only texts. A liberal reading (``+1``, ``1.0``, ``on``) would give
one row many URLs, and would accept mistakes of a client.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Container, Mapping
from dataclasses import dataclass

from multidict import MultiDict, MultiMapping

from biont.exceptions import InputProblem, InvalidInput

# Bounded, because `int` takes quadratic time; 64 bits have 19 digits.
_PATTERNS: Mapping[object, tuple[re.Pattern[str], str]] = types.MappingProxyType(
    {
        int: (re.compile(r"-?(?:0|[1-9][0-9]{0,18})"), "must be a plain decimal integer"),
        float: (
            re.compile(r"-?(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,18})?"),
            "must be a plain decimal number",
        ),
        bool: (re.compile(r"true|false"), "must be true or false"),
    }
)


@dataclass(frozen=True, slots=True)
class TextRule:
    """Permitted texts of one parameter.

    Attributes:
        pattern: the pattern of each text; None for any text.
        detail: the description of a text that does not match.
        is_list: whether a request may have the parameter more than once.
    """

    pattern: re.Pattern[str] | None
    detail: str
    is_list: bool


def find_rule(annotation: object) -> TextRule:
    """Return the rule of a parameter with this annotation."""
    parts = set(_list_types(annotation))
    pattern, detail = next((rule for kind, rule in _PATTERNS.items() if kind in parts), (None, ""))
    # A union with a text permits any text; the model decides.
    return TextRule(None if str in parts else pattern, detail, list in parts)


def read_texts(
    rules: Mapping[str, TextRule], query: MultiMapping[str], path: Mapping[str, str]
) -> dict[str, object]:
    """Return the texts of all parameters, checked by their rules, for the model.

    Raises:
        InvalidInput: a text is not spelled as its parameter requires, or a parameter that is no
            list is repeated.
    """
    texts: dict[str, object] = {}
    problems: list[InputProblem] = []
    for name in dict.fromkeys([*query, *path]):
        rule = rules.get(name)
        found = [path[name]] if name in path else query.getall(name)
        # The model refuses unknown parameters.
        texts[name] = found if rule is not None and rule.is_list else found[-1]
        if rule is None:
            continue
        if len(found) > 1 and not rule.is_list:
            problems.append(InputProblem("must be given only once", name))
        elif rule.pattern is not None and not all(map(rule.pattern.fullmatch, found)):
            problems.append(InputProblem(rule.detail, name))
    if problems:
        raise InvalidInput.of_many(problems)
    return texts


def _list_types(annotation: object) -> list[object]:
    """Return the types of which an annotation is made, without ``Annotated`` and unions."""
    origin = typing.get_origin(annotation)
    if origin is None:
        return [annotation]
    if origin is typing.Annotated:
        return _list_types(typing.get_args(annotation)[0])
    inner = [part for each in typing.get_args(annotation) for part in _list_types(each)]
    return inner if origin in (typing.Union, types.UnionType) else [origin, *inner]


def keep_known(query: MultiMapping[str], known: Container[str]) -> MultiMapping[str]:
    """Return the query without the parameters that are not known."""
    return MultiDict((name, text) for name, text in query.items() if name in known)
