"""The job kind ``prompt``: ask the AI, keep its answer as a note."""

from __future__ import annotations

from typing import Annotated

import orjson
from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from biont import Finish, JobKind, JsonObject, Run, Schema, Transaction, Workbench
from biont.llm import ChatRequest, LlmCall, Message
from biont.scheduling import RunStatus, ScheduleRun
from biont_llm import LLM_GATEWAY
from biont_notes import Note, Source, Tags, create_note
from biont_schedules.template import (
    BUILT_IN,
    LAST_NOTE_LIMIT,
    describe_instant,
    fill,
    list_places,
)

Variable = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]


class PromptParameters(Schema):
    """What is asked, of whom, and how the answer is kept."""

    model_config = ConfigDict(extra="forbid")

    variables: Annotated[
        dict[Variable, Annotated[str, Field(max_length=4000)]], Field(max_length=50)
    ] = Field(default_factory=dict, description="What `{{ name }}` stands for, by name.")
    prompt: Annotated[str, Field(min_length=1, max_length=20_000)]
    title: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        "{{ schedule }}", description="Of the note."
    )
    tags: Tags = Field(default_factory=list, description="Of the note.")
    report_to: list[Annotated[str, Field(max_length=50)]] | None = Field(
        None, description="The integrations that get the note; None for those for reports."
    )
    backend: str | None = Field(None, description="Which backend answers; None for the default.")
    model: str | None = Field(None, description="Which of its models; None for the default.")

    @field_validator("variables")
    @classmethod
    def _check_names(cls, variables: dict[str, str]) -> dict[str, str]:
        if taken := BUILT_IN & variables.keys():
            raise ValueError(f"{min(taken)!r} is built in; choose another name")
        return variables

    @field_validator("prompt", "title")
    @classmethod
    def _check_places(cls, template: str, info: ValidationInfo) -> str:
        known = BUILT_IN | info.data.get("variables", {}).keys()
        if unknown := list_places(template) - known:
            raise ValueError(
                f"nothing is called {min(unknown)!r}; give it in variables, "
                f"or choose from {', '.join(sorted(known))}"
            )
        return template


async def run_prompt(run: Run, workbench: Workbench) -> Finish:
    """Ask the AI and return what keeps its answer as a note.

    Raises:
        BackendError: there is no answer that can be trusted.
    """
    parameters = run.parameters_as(PromptParameters)
    model = "/".join(filter(None, (parameters.backend, parameters.model))) or None
    values = {
        **parameters.variables,
        **describe_instant(run.scheduled_for, run.time_zone),
        "schedule": run.schedule_name,
        "last_note": await workbench.store.read(_read_last_note, run),
    }
    answer = await workbench.get(LLM_GATEWAY).chat(
        ChatRequest([Message("user", fill(parameters.prompt, values))], model),
        LlmCall(user_id=run.user_id, schedule_id=run.schedule_id, run_id=run.id),
    )

    def keep_answer(tx: Transaction) -> JsonObject:
        note = create_note(
            tx,
            run.user_id,
            title=fill(parameters.title, values).strip() or run.schedule_name,
            content=answer.text,
            tags=parameters.tags,
            now=workbench.clock.now(),
            source=Source(f"run-{run.id}", f"/api/v1/schedule/{run.schedule_id}/runs/{run.id}"),
        )
        kept: JsonObject = {"note_id": note.id, "model": answer.model}
        named = parameters.report_to
        return kept if named is None else {**kept, "report_to": [*named]}

    return keep_answer


def _read_last_note(run: Run) -> str:
    """Return what the last run of the same schedule has left, as far as it is still there."""
    last = (
        ScheduleRun.select()
        .where(
            ScheduleRun.schedule == run.schedule_id,
            ScheduleRun.status == RunStatus.SUCCEEDED,
            ScheduleRun.id < run.id,
        )
        .order_by(ScheduleRun.id.desc())
        .first()
    )
    if last is None or last.result is None:
        return ""
    note_id = orjson.loads(last.result).get("note_id")
    note = Note.of_user(run.user_id).where(Note.id == note_id).first()
    return "" if note is None else note.content[:LAST_NOTE_LIMIT]


PROMPT = JobKind("prompt", PromptParameters, run_prompt)
