"""Event types: declarations by plugins, and the check of emitted events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal, cast

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from biont.exceptions import InputProblem, InvalidInput, PluginError, point_to

CUSTOM = "custom_*"
"""The name that stands for all types without declaration, which clients may emit too."""

CUSTOM_PATTERN = r"^custom_[a-z0-9_]{1,90}$"
"""The pattern of names of types without declaration."""

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9_]{0,99}")
_CUSTOM_NAME = re.compile(CUSTOM_PATTERN)
_MALFORMED = "must be snake case: a-z, 0-9 and _, at most 100 characters"


@dataclass(frozen=True)
class EventType:
    """An event type, as declared by a plugin.

    Attributes:
        name: the name, in snake case: ``note_created``.
        payload: the model of payloads. Unknown fields are refused, unless the configuration
            of the model sets ``extra``.
        description: a sentence that says when events of this type are emitted.

    Raises:
        PluginError: the name is not snake case, or begins with ``custom_``.
    """

    name: str
    payload: type[BaseModel]
    description: str

    def __post_init__(self) -> None:
        if not _SNAKE_CASE.fullmatch(self.name):
            raise PluginError(f"event type {self.name!r} {_MALFORMED}")
        if self.name.startswith("custom_"):
            raise PluginError(
                f"event type {self.name!r}: custom_ is for types without declaration"
            )


@dataclass(frozen=True)
class KnownType:
    """An event type that may be emitted.

    Attributes:
        name: the name; `CUSTOM` stands for all types without declaration.
        description: a sentence that says when events of this type are emitted.
        plugin: the plugin that declares the type; ``core`` is the core itself.
        payload: checks and describes payloads.
    """

    name: str
    description: str
    plugin: str
    payload: TypeAdapter[object]

    @cached_property
    def schema(self) -> dict[str, JsonValue]:
        """The JSON schema of payloads; made once, because that takes a millisecond."""
        return self.payload.json_schema()


class EventTypes:
    """The event types of one workbench.

    Args:
        declared: the event types of each plugin, by the name of the plugin.
    """

    def __init__(self, declared: Mapping[str, Sequence[EventType]]) -> None:
        self._known: list[KnownType] = []
        self._checks: dict[str, partial[object]] = {}
        anything = cast("TypeAdapter[object]", TypeAdapter(dict[str, JsonValue]))
        text = "A client, or a plugin, has emitted it."
        self._custom = KnownType(CUSTOM, text, "core", anything)
        for plugin, event_types in declared.items():
            for event_type in event_types:
                self._add(plugin, event_type)

    def __iter__(self) -> Iterator[KnownType]:
        """Yield the types by name, and `CUSTOM` last."""
        yield from sorted(self._known, key=lambda known: known.name)
        yield self._custom

    def check(self, event_type: str, payload: str) -> None:
        """Check that an event may be emitted.

        Args:
            event_type: the event type.
            payload: the payload as JSON text.

        Raises:
            InvalidInput: the type is not declared, or the payload does not match the
                declaration.
        """
        check = self._checks.get(event_type)
        if check is None:
            _check_undeclared(event_type)
            return
        try:
            check(payload)
        except ValidationError as error:
            raise InvalidInput.from_validation(
                error, lambda place: point_to(("payload", *place))
            ) from error

    def _add(self, plugin: str, event_type: EventType) -> None:
        name, model = event_type.name, event_type.payload
        payload = cast("TypeAdapter[object]", TypeAdapter(model))
        self._known.append(KnownType(name, event_type.description, plugin, payload))
        # Strict, because receivers get the payload as emitted: a value that validation would
        # have to convert is wrong. Bound here once, because every emit validates.
        extra: Literal["forbid"] | None = None if "extra" in model.model_config else "forbid"
        self._checks[name] = partial(payload.validate_json, strict=True, extra=extra)


def check_shape(event_type: str) -> None:
    """Check that `event_type` can be the name of an event type.

    Raises:
        InvalidInput: the name is not snake case.
    """
    if not _SNAKE_CASE.fullmatch(event_type):
        raise InvalidInput(InputProblem(_MALFORMED, "#/event_type"))


def _check_undeclared(event_type: str) -> None:
    if _CUSTOM_NAME.fullmatch(event_type):
        return
    check_shape(event_type)
    raise InvalidInput(
        InputProblem(
            f"{event_type!r} is not declared: declare the type in the plugin's "
            "register_event_types, or begin the name with custom_",
            "#/event_type",
        )
    )
