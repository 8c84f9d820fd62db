"""Usage of agent runs: the tokens of all rounds count, and an estimate is marked."""

from __future__ import annotations

import pytest

from biont import Workbench
from biont.exceptions import LimitReached
from biont.llm import Chunk, LlmCall, Message, TextChunk, ToolCallChunk
from biont.testing import USAGE, ModelServer, say
from biont_agents import AGENTS, AgentOutcome, NewAgentRun

ADA = LlmCall(user_id=1)
CALLS = [("search_notes", '{"query": "x"}')]


async def run(
    workbench: Workbench, max_tokens: int = 10_000, chunks: list[Chunk] | None = None
) -> AgentOutcome:
    agents = workbench.get(AGENTS)
    messages = [Message("user", "Do it.")]
    new = NewAgentRun(
        user_id=1,
        source="task-7",
        source_url="/api/v1/tasks/7",
        messages=messages,
        tools=["search_notes"],
        max_tokens=max_tokens,
    )
    made = await workbench.store.write(agents.create, new)

    async def keep(chunk: Chunk) -> None:
        assert chunks is not None
        chunks.append(chunk)

    return await agents.advance(made.id, ADA, on_chunk=None if chunks is None else keep)


@pytest.mark.usefixtures("client")
async def test_prompt_and_answer_both_count_against_the_budget(
    workbench: Workbench, scripted: ModelServer
) -> None:
    scripted.script += [say(calls=CALLS), say("Done.")]
    assert (await run(workbench, USAGE["total_tokens"] + 1)).answer == "Done."
    scripted.script += [say(calls=CALLS), say("Done.")]
    with pytest.raises(LimitReached, match="12 tokens"):
        await run(workbench, USAGE["total_tokens"])


@pytest.mark.parametrize("reports", [(True, True), (False, True), (True, False)])
@pytest.mark.usefixtures("client")
async def test_one_estimated_round_makes_the_usage_an_estimate(
    workbench: Workbench, scripted: ModelServer, reports: tuple[bool, bool]
) -> None:
    first, second = reports
    scripted.script += [say(calls=CALLS, usage=first), say("Done.", usage=second)]
    usage = (await run(workbench)).usage
    assert usage.estimated is (reports != (True, True))
    if reports == (True, True):
        assert usage.prompt_tokens == 2 * USAGE["prompt_tokens"]
        assert usage.completion_tokens == 2 * USAGE["completion_tokens"]


@pytest.mark.parametrize("native_tools", [False])
@pytest.mark.usefixtures("client")
async def test_the_calls_of_an_answer_that_is_not_streamed_are_shown(
    workbench: Workbench, scripted: ModelServer
) -> None:
    scripted.script += [
        say('{"tool": "search_notes", "arguments": {"query": "x"}}'),
        say('{"answer": "Done."}'),
    ]
    chunks: list[Chunk] = []
    await run(workbench, chunks=chunks)
    assert [type(chunk) for chunk in chunks] == [ToolCallChunk, TextChunk]
