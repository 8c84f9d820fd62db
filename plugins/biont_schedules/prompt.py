"""The job kind ``prompt``: ask the AI, keep its answer as a note."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from biont import (
    ChatRequest,
    Finish,
    JobKind,
    JsonObject,
    LlmCall,
    Message,
    Run,
    Transaction,
    Workbench,
)
from biont_llm import LANGUAGE_MODELS
from biont_notes import Source, create_note


class PromptParameters(BaseModel):
    """What is asked, and of whom."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, Field(min_length=1, max_length=20_000)]
    backend: str | None = Field(None, description="Which backend answers; None for the default.")
    model: str | None = Field(None, description="Which of its models; None for the default.")


async def run_prompt(run: Run, workbench: Workbench) -> Finish:
    """Ask the AI and return what keeps its answer as a note.

    Raises:
        BackendError: there is no answer that can be trusted.
    """
    parameters = run.parameters_as(PromptParameters)
    model = "/".join(filter(None, (parameters.backend, parameters.model))) or None
    answer = await workbench.get(LANGUAGE_MODELS).chat(
        ChatRequest([Message("user", parameters.prompt)], model),
        LlmCall(user_id=run.user_id, schedule_id=run.schedule_id, run_id=run.id),
    )

    def keep_answer(tx: Transaction) -> JsonObject:
        note = create_note(
            tx,
            run.user_id,
            title=run.schedule_name,
            content=answer.text,
            now=workbench.clock.now(),
            source=Source(f"run-{run.id}", f"/api/v1/schedule/{run.schedule_id}/runs/{run.id}"),
        )
        return {"note_id": note.id, "model": answer.model}

    return keep_answer


PROMPT = JobKind("prompt", PromptParameters, run_prompt)
