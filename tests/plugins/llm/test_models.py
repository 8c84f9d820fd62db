"""All models behind one call: chosen by name, made once, asked within limits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from plugins.llm.asking import CAPITAL, make_models, make_openai
from plugins.llm.scripted_server import ScriptedServer, wait_for

from biont import Completion, Message, SystemClock, Workbench, load_settings
from biont.exceptions import BackendTimeout, BackendUnavailable
from biont_llm import LanguageModels
from biont_llm.settings import LlmSettings

SYSTEM = ("system", LlmSettings().system_prompt)


@dataclass
class Echo:
    """A plugin's own backend: says the last message again."""

    name: str = "echo"
    error: Exception | None = None
    closed: list[str] = field(default_factory=list)

    async def complete(
        self, messages: Sequence[Message], *, model: str | None = None
    ) -> Completion:
        if self.error is not None:
            raise self.error
        return Completion(messages[-1].content, model or self.name, None, None)

    async def close(self) -> None:
        self.closed.append(self.name)
        if self.error is not None:
            raise self.error


async def test_the_default_is_asked_or_the_one_that_is_named() -> None:
    models = make_models({"first": Echo("one"), "second": Echo("two")})
    assert models.backends == ["first", "second"]
    assert (await models.complete(CAPITAL)).model == "one"
    assert (await models.complete(CAPITAL, backend="second")).model == "two"
    assert (await models.complete(CAPITAL, backend="second", model="big")).model == "big"


async def test_an_unknown_backend_is_an_error_that_names_those_there_are() -> None:
    models = make_models({"second": Echo(), "first": Echo()})
    with pytest.raises(BackendUnavailable, match="'third'; there are first, second"):
        await models.complete(CAPITAL, backend="third")


def test_an_unknown_default_is_found_at_start() -> None:
    with pytest.raises(BackendUnavailable, match="'locale'"):
        LanguageModels(
            {"local": lambda _: Echo()},
            Workbench(load_settings(None, environ={}), SystemClock()),
            default="locale",
            system_prompt="",
            timeout=1,
            concurrency=1,
        )


async def test_a_system_prompt_goes_before_messages_that_have_none(
    scripted: ScriptedServer,
) -> None:
    backend = make_openai(scripted.url)
    models = make_models({"openai": backend})
    await models.complete(CAPITAL)
    await models.complete([Message("system", "Be brief."), *CAPITAL])
    await models.close()
    question = ("user", "What is the capital of France?")
    assert scripted.asked[0].messages == [SYSTEM, question]
    assert scripted.asked[1].messages == [("system", "Be brief."), question]


async def test_a_backend_is_made_at_its_first_use_and_once() -> None:
    made: list[Workbench] = []
    workbench = Workbench(load_settings(None, environ={}), SystemClock())

    def make(given: Workbench) -> Echo:
        made.append(given)
        return Echo()

    models = LanguageModels(
        {"echo": make}, workbench, default="echo", system_prompt="", timeout=10, concurrency=2
    )
    assert made == []
    await asyncio.gather(*(models.complete(CAPITAL) for _ in range(5)))
    assert made == [workbench]


async def test_calls_wait_for_a_place_and_not_for_other_backends(
    scripted: ScriptedServer,
) -> None:
    go = asyncio.Event()
    scripted.script = [wait_for(go)] * 6
    async with ScriptedServer() as other:
        models = make_models(
            {"busy": make_openai(scripted.url), "free": make_openai(other.url)}, concurrency=2
        )
        calls = [asyncio.create_task(models.complete(CAPITAL)) for _ in range(6)]
        await scripted.wait_until_busy(2)
        assert "Paris" in (await models.complete(CAPITAL, backend="free")).text
        go.set()
        assert all("Paris" in completion.text for completion in await asyncio.gather(*calls))
        await models.close()
    assert len(scripted.asked) == 6
    assert scripted.busiest == 2


async def test_waiting_for_a_place_does_not_count_as_time_of_the_call(
    scripted: ScriptedServer,
) -> None:
    models = make_models({"openai": make_openai(scripted.url)}, timeout=2, concurrency=1)
    # The first call imports the client, which is no part of what is measured here.
    await models.complete(CAPITAL)
    never = asyncio.Event()
    scripted.script = [wait_for(never)]
    slow = asyncio.create_task(models.complete(CAPITAL))
    await scripted.wait_until_busy(1)
    assert "Paris" in (await models.complete(CAPITAL)).text
    with pytest.raises(BackendTimeout, match=r"'openai' gave no answer within 2 s"):
        await slow
    never.set()
    await models.close()


async def test_a_timeout_of_a_backends_own_is_not_taken_for_ours() -> None:
    models = make_models({"echo": Echo(error=TimeoutError("its own"))})
    with pytest.raises(TimeoutError, match="its own"):
        await models.complete(CAPITAL)


async def test_closing_closes_those_that_were_made_whatever_one_of_them_does() -> None:
    closed: list[str] = []
    models = make_models(
        {
            "one": Echo("one", closed=closed),
            "two": Echo("two", RuntimeError("stuck"), closed),
            "unused": Echo("unused", closed=closed),
        }
    )
    await models.complete(CAPITAL)
    with pytest.raises(RuntimeError, match="stuck"):
        await models.complete(CAPITAL, backend="two")
    with pytest.raises(RuntimeError, match="stuck"):
        await models.close()
    assert closed == ["two", "one"]
