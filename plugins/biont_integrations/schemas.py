"""REST schemas of integrations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from biont import IntegrationKind, Schema
from biont.http import MergePatch
from biont_integrations.connections import Caller, may_change
from biont_integrations.health import ConnectionHealth
from biont_integrations.integrations import Integrations
from biont_integrations.settings import Connection, ConnectionName, KindName
from biont_integrations.tables import Integration, SentMessage

_SHARED = "All users may send through the integration; for administrators only."
_REPORTS = "Receives the answers of schedules without `report_to`."


class Manager(StrEnum):
    """Place in which a connection is changed."""

    FILE = "file"
    USER = "user"


class NewIntegration(Schema):
    """Integration to connect."""

    model_config = ConfigDict(extra="forbid")

    name: ConnectionName
    kind: KindName = Field(description="The kind; see `GET /integrations/kinds`.")
    settings: dict[str, JsonValue] = Field(
        description="The settings of the kind. Secrets are encrypted, and never shown."
    )
    reports: bool = Field(False, description=_REPORTS)
    shared: bool = Field(False, description=_SHARED)


class IntegrationChange(MergePatch):
    """Fields to change, as a JSON merge patch (RFC 7396)."""

    name: ConnectionName = ""
    settings: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="The settings to change: null removes a setting, and a setting that is left "
        "out stays, also a secret.",
    )
    reports: bool = Field(False, description=_REPORTS)
    shared: bool = Field(False, description=_SHARED)


class IntegrationView(Schema):
    """Connection to an outside system, without secrets."""

    state_fields = frozenset(
        {"last_success_at", "last_failure_at", "last_error", "failing", "updated_at"}
    )

    id: int | None = Field(
        description="The number; null for a connection of the operator's configuration."
    )
    name: str
    kind: str
    managed_by: Manager = Field(
        description="`file`: the operator's configuration, which this API does not change."
    )
    reports: bool = Field(description="Receives the answers of schedules by default.")
    shared: bool = Field(description="All users may send through the integration.")
    settings: dict[str, JsonValue] | None = Field(
        description="The settings without secrets; null if you may not change them."
    )
    secrets: list[str] = Field(description="The names of the secrets that are set.")
    failing: bool = Field(description="Whether the latest message or test failed.")
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str | None
    created_at: datetime | None
    updated_at: datetime | None


class IntegrationKindView(Schema):
    """Kind of outside system."""

    name: str
    description: str
    sends_test_message: bool = Field(
        description="Whether a test sends a message, because nothing else can prove the settings."
    )
    settings_schema: dict[str, JsonValue] = Field(
        description="The JSON schema of the settings; secrets have the format `password`."
    )


class IntegrationTest(Schema):
    """Test that an integration has passed."""

    connected: bool
    sent_message: bool = Field(description="Whether a test message was sent.")


class NewMessage(Schema):
    """A message to send."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(max_length=100_000)] = ""


class SentMessageView(Schema):
    """A sent message."""

    id: int
    integration: str
    title: str
    cause: str | None = Field(description="The id of the reported event.")
    sent_at: datetime


def make_view(integrations: Integrations, caller: Caller, row: Integration) -> IntegrationView:
    """Return the REST view of an integration; other users of a shared one see no settings."""
    settings, secrets = integrations.show_settings(row) if may_change(caller, row) else (None, [])
    return IntegrationView(
        id=row.id,
        name=row.name,
        kind=row.kind,
        managed_by=Manager.USER,
        reports=row.reports,
        shared=row.shared,
        settings=settings,
        secrets=secrets,
        failing=row.failing,
        last_success_at=row.last_success_at,
        last_failure_at=row.last_failure_at,
        last_error=row.last_error,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def make_file_view(name: str, connection: Connection, health: ConnectionHealth) -> IntegrationView:
    """Return the REST view of a connection of the operator's configuration."""
    return IntegrationView(
        id=None,
        name=name,
        kind=connection.kind,
        managed_by=Manager.FILE,
        reports=connection.reports,
        shared=True,
        settings=None,
        secrets=[],
        failing=health.failing,
        last_success_at=health.last_success_at,
        last_failure_at=health.last_failure_at,
        last_error=health.last_error,
        created_at=None,
        updated_at=None,
    )


def make_kind_view(kind: IntegrationKind) -> IntegrationKindView:
    """Return the REST view of a kind."""
    return IntegrationKindView(
        name=kind.name,
        description=kind.description,
        sends_test_message=kind.connect is None,
        settings_schema=kind.settings.model_json_schema(),
    )


def make_message_view(message: SentMessage) -> SentMessageView:
    """Return the REST view of a sent message."""
    return SentMessageView(
        id=message.id,
        integration=message.integration,
        title=message.title,
        cause=message.cause,
        sent_at=message.sent_at,
    )
