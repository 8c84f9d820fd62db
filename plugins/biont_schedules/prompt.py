"""Job kind ``prompt``: asks a language model and keeps the answer as a note."""

from __future__ import annotations

from typing import Annotated

import orjson
from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from biont import Finish, JobKind, JsonObject, Run, Schema, Transaction, Workbench
from biont.events import mark_origin
from biont.llm import ChatRequest, LlmCall, Message
from biont.scheduling import RunStatus, ScheduleRun
from biont.security import Fence
from biont_llm import LLM_GATEWAY
from biont_notes import Note, Source, Tags, create_note
from biont_schedules.parameters import WRITTEN
from biont_schedules.template import (
    BUILT_IN,
    LAST_NOTE_LIMIT,
    describe_instant,
    fill_template,
    find_placeholders,
    find_unknown_placeholder,
)

Variable = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]


class PromptParameters(Schema):
    """Prompt, model, and the note that keeps the answer."""

    model_config = ConfigDict(extra="forbid")

    variables: Annotated[
        dict[Variable, Annotated[str, Field(max_length=4000)]], Field(max_length=50)
    ] = Field(default_factory=dict, description="Texts that replace `{{ name }}`, by name.")
    prompt: Annotated[str, Field(min_length=1, max_length=20_000)]
    title: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        "{{ schedule }}", description="Title of the note."
    )
    tags: Tags = Field(default_factory=list, description="Tags of the note.")
    report_to: list[Annotated[str, Field(max_length=50)]] | None = Field(
        None,
        max_length=100,
        description="Names of the integrations that get the note; null for all with `reports`.",
    )
    backend: str | None = Field(
        None, max_length=100, description="Name of the LLM backend; null for the default."
    )
    model: str | None = Field(
        None, max_length=200, description="Name of a model of the backend; null for the default."
    )

    @field_validator("variables")
    @classmethod
    def _check_variable_names(cls, variables: dict[str, str]) -> dict[str, str]:
        if taken := BUILT_IN & variables.keys():
            raise ValueError(f"{min(taken)!r} is built in; choose another name")
        return variables

    @field_validator("prompt", "title")
    @classmethod
    def _check_placeholders(cls, template: str, info: ValidationInfo) -> str:
        # A stored prompt of an earlier version may have other braces, and runs on.
        if info.context != WRITTEN:
            return template
        known = BUILT_IN | info.data.get("variables", {}).keys()
        if (unknown := find_unknown_placeholder(template, known)) is not None:
            raise ValueError(
                f"{unknown!r} is no placeholder with a value; add its name to variables, choose "
                f"from {', '.join(sorted(known))}, or write \\{{{{ for two braces"
            )
        return template


async def run_prompt(run: Run, workbench: Workbench) -> Finish:
    """Ask a language model and return the function that keeps the answer as a note.

    Raises:
        BackendError: the backend gave no complete answer.
    """
    parameters = run.parameters_as(PromptParameters)
    model = "/".join(filter(None, (parameters.backend, parameters.model))) or None
    last, fence = await workbench.store.read(_find_last_note, run), Fence("a note")
    if last is not None and "last_note" in find_placeholders(parameters.prompt):
        # The answer, its note and its report may repeat text that came from outside.
        mark_origin(last.origin)
    values = {
        **parameters.variables,
        **describe_instant(run.scheduled_for, run.time_zone),
        "schedule": run.schedule_name,
        "last_note": "" if last is None else _show_note(last, fence),
    }
    prompt = fence.explain(fill_template(parameters.prompt, values))
    answer = await workbench.get(LLM_GATEWAY).chat(
        ChatRequest([Message("user", prompt)], model),
        LlmCall(user_id=run.user_id, schedule_id=run.schedule_id, run_id=run.id),
    )

    # The answer took a while: the note is written with the end of the run, in one transaction,
    # so a crash leaves neither a note without a run nor a run without its note.
    def keep_answer(tx: Transaction) -> JsonObject:
        note = create_note(
            tx,
            run.user_id,
            title=fill_template(parameters.title, values).strip() or run.schedule_name,
            content=answer.text,
            tags=parameters.tags,
            now=workbench.clock.now(),
            source=Source(f"run-{run.id}", f"/api/v1/schedule/{run.schedule_id}/runs/{run.id}"),
        )
        kept: JsonObject = {"note_id": note.id, "model": answer.model}
        named = parameters.report_to
        return kept if named is None else {**kept, "report_to": [*named]}

    return keep_answer


def _show_note(note: Note, fence: Fence) -> str:
    """Return a note for a prompt, within a fence if the note may repeat text from outside."""
    text = note.content[:LAST_NOTE_LIMIT]
    return text if note.origin is None else fence.wrap(text)


def _find_last_note(run: Run) -> Note | None:
    """Return the note of the schedule's last successful run; None if there is none."""
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
        return None
    note_id = orjson.loads(last.result).get("note_id")
    note: Note | None = Note.of_user(run.user_id).where(Note.id == note_id).first()
    return note


PROMPT = JobKind("prompt", PromptParameters, run_prompt, requires=("llm", "notes"))
