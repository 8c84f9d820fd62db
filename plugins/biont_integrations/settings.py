"""What the operator decides about integrations."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr

from biont import Section

ConnectionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,49}$")]


class Kind(StrEnum):
    """What an outside system speaks."""

    JSON = "json"
    SLACK = "slack"
    DISCORD = "discord"
    NTFY = "ntfy"


class Connection(Section):
    """A connection to an outside system."""

    kind: Kind = Field(
        Kind.JSON,
        description="`slack` and `discord`: their incoming webhooks; `ntfy`: the URL of a topic; "
        "`json`: any server that takes `title` and `text`.",
    )
    url: HttpUrl = Field(description="Where messages are posted.")
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="Headers that go with each message."
    )
    reports: bool = Field(
        True, description="Whether the answers of schedules go there when they do not say."
    )


class IntegrationsSettings(Section):
    """Connections to outside systems."""

    connections: dict[ConnectionName, Connection] = Field(
        default_factory=dict, description="Connections by their names."
    )
    timeout: Annotated[float, Field(gt=0)] = Field(
        15.0, description="How long sending one message may take, in seconds."
    )
