"""Settings of connections: checks them against their kind, and separates secrets from the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pydantic import BaseModel, JsonValue, SecretBytes, SecretStr, ValidationError

from biont import IntegrationKind
from biont.exceptions import DeliveryFailed, InputProblem, InvalidInput, describe_validation_error
from biont.security import redact_secrets
from biont.store import dump_json

SETTINGS_LIMIT = 64 * 1024
"""Largest size of the settings of a connection, as JSON in characters."""

_HIDDEN = "***"
_SHORTEST_SECRET = 4
_SHORTEST_PART = 8
_ORIGIN = re.compile(r"^https?://[^/?#]*")
_SEPARATORS = re.compile(r"[\s/?&=#:;,]+")


def check_settings(kind: IntegrationKind, settings: JsonValue) -> str:
    """Return the settings of a connection as JSON, secrets included, to be encrypted.

    Raises:
        InvalidInput: the settings do not fit the kind.
    """
    text = dump_json(settings)
    if len(text) > SETTINGS_LIMIT:
        raise InvalidInput(
            InputProblem(f"must have at most {SETTINGS_LIMIT} characters as JSON", "#/settings")
        )
    try:
        kind.settings.model_validate(settings)
    except ValidationError as error:
        raise InvalidInput.from_validation(
            error, lambda location: "#/settings" + "".join(f"/{step}" for step in location)
        ) from None  # the cause quotes secrets
    return text


def load_settings(kind: IntegrationKind, settings: Mapping[str, JsonValue]) -> BaseModel:
    """Return the settings of a connection as the model of the kind.

    Raises:
        DeliveryFailed: the settings do not fit the kind, such as after an upgrade of its plugin.
    """
    try:
        return kind.settings.model_validate(settings)
    except ValidationError as error:
        reason = describe_validation_error(error, root="settings")
        raise DeliveryFailed(f"the settings do not fit the kind {kind.name!r}: {reason}") from None


def split_settings(settings: BaseModel) -> tuple[dict[str, JsonValue], list[str]]:
    """Return the settings that may be shown, and the names of the secrets that are set."""
    secrets = [name for name in type(settings).model_fields if _has_secret(settings, name)]
    shown = settings.model_dump(mode="json", exclude={*secrets})
    return shown, secrets


def hide_secrets(text: str, settings: BaseModel) -> str:
    """Return `text` without the secrets of a connection, and without what looks like a secret.

    Parts of secrets are hidden too: a system may quote the token of a header or of a URL alone.
    """
    values = {value for value in _list_secrets(settings) if len(value) >= _SHORTEST_SECRET}
    # The host of a URL is no secret, and an error has to name it.
    parts = {
        part for value in values for part in _SEPARATORS.split(_ORIGIN.sub("", value, count=1))
    }
    values |= {part for part in parts if len(part) >= _SHORTEST_PART}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, _HIDDEN)
    return redact_secrets(text)


def _has_secret(settings: BaseModel, name: str) -> bool:
    return any(True for _ in _list_secrets(getattr(settings, name)))


def _list_secrets(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case SecretBytes():
            yield value.get_secret_value().decode(errors="replace")
        case BaseModel():
            for name in type(value).model_fields:
                yield from _list_secrets(getattr(value, name))
        case Mapping():
            for each in value.values():
                yield from _list_secrets(each)
        case list() | tuple() | set() | frozenset():
            for each in value:
                yield from _list_secrets(each)
