"""Settings of integrations: ``plugins.integrations``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr

from biont import Section

ConnectionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,49}$")]


class Kind(StrEnum):
    """Message format of an outside system."""

    JSON = "json"
    SLACK = "slack"
    DISCORD = "discord"
    NTFY = "ntfy"


class Connection(Section):
    """A connection to an outside system."""

    kind: Kind = Field(
        Kind.JSON,
        description="`slack` and `discord`: an incoming webhook; `ntfy`: the URL of a topic; "
        "`json`: any server that accepts `title` and `text`.",
    )
    url: HttpUrl = Field(description="The URL to post messages to.")
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="Headers of each message."
    )
    reports: bool = Field(
        True, description="Receives the answers of schedules without `report_to`."
    )


class IntegrationsSettings(Section):
    """Connections to outside systems."""

    connections: dict[ConnectionName, Connection] = Field(
        default_factory=dict, description="Connections by name."
    )
    timeout: Annotated[float, Field(gt=0)] = Field(
        15.0, description="Largest duration of sending a message, in seconds."
    )
    keep_days: int = Field(
        90, ge=0, le=100_000, description="Days for which sent messages are kept; 0 for ever."
    )
