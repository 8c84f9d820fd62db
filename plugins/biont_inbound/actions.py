"""Actions of inbound webhooks: an event, a prompt, a mission or a note."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from biont import Schema
from biont.events import CUSTOM_PATTERN
from biont_inbound.templates import JsonTemplate, TextTemplate
from biont_notes import Tags

Model = Annotated[str, Field(min_length=1, max_length=200)]
Title = Annotated[TextTemplate, Field(min_length=1, max_length=200)]
ToolName = Annotated[str, Field(min_length=1, max_length=64)]


class EmitEvent(Schema):
    """Emit a custom event."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["event"]
    event_type: Annotated[str, Field(pattern=CUSTOM_PATTERN, examples=["custom_issue"])]
    payload: JsonTemplate = Field(
        {"event": "{{ event }}", "delivery_id": "{{ delivery_id }}", "body": "{{ body }}"},
        description="The payload: a JSON object, in which `{{ body.issue.title }}` is a value of "
        "the request.",
    )


class RunPrompt(Schema):
    """Ask a model, and keep the answer as a note."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["prompt"]
    prompt: Annotated[TextTemplate, Field(min_length=1, max_length=20_000)]
    title: Title = Field("{{ event }}", description="The title of the note.")
    tags: Tags = Field(default_factory=list)
    model: Model | None = Field(None, description="The model; null for the default.")


class StartMission(Schema):
    """Start a mission."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["mission"]
    goal: Annotated[TextTemplate, Field(min_length=1, max_length=2000)]
    tools: Annotated[list[ToolName], Field(max_length=100)] | None = Field(
        None, description="Tools that the tasks may call; null for the setting, `[]` for none."
    )
    model: Model | None = Field(None, description="The model; null for the default.")


class KeepNote(Schema):
    """Keep a note."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["note"]
    title: Title
    content: Annotated[TextTemplate, Field(max_length=20_000)]
    tags: Tags = Field(default_factory=list)


AnyAction = EmitEvent | RunPrompt | StartMission | KeepNote
"""Action of an inbound webhook."""

Action = Annotated[AnyAction, Field(discriminator="kind")]
"""Action in a REST request, chosen by `kind`."""

ACTION: TypeAdapter[AnyAction] = TypeAdapter(Action)
"""Reads and writes actions as JSON."""
