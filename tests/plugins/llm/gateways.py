"""Gateways for tests, over backends of the test's choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import HttpUrl, SecretStr

from biont import Workbench
from biont.event import EventFactory
from biont.llm import LLM_BACKENDS, Answer, Backend, BackendFactory, ChatRequest, LlmCall, Message
from biont.settings import load_settings
from biont.testing import MODEL, ManualClock
from biont.workbench_factory import make_workbench
from biont_llm import LlmGateway
from biont_llm.accounting.call_log import CallEntry, Owner, Spending, format_day
from biont_llm.openai.backend import OpenAiBackend
from biont_llm.settings import LlmSettings, OpenAiSettings

CAPITAL = [Message("user", "What is the capital of France?")]
BRIEF_CAPITAL = [Message("system", LlmSettings().system_prompt), *CAPITAL]
"""The question for the small model, which babbles up to its limit without a system message."""

CALL = LlmCall(user_id=1)


def make_openai(
    url: str,
    *,
    key: str = "",
    model: str = MODEL,
    timeout: float = 10,
    temperature: float | None = 0,
) -> OpenAiBackend:
    """Return a backend for the server at `url`."""
    settings = OpenAiSettings(
        base_url=HttpUrl(url), api_key=SecretStr(key), model=model, temperature=temperature
    )
    return OpenAiBackend(settings, max_tokens=64, timeout=timeout)


@dataclass
class MemoryCallLog:
    """Call log in memory."""

    entries: list[CallEntry] = field(default_factory=list)

    async def add(self, entry: CallEntry) -> None:
        self.entries.append(entry)

    async def sum_spending(self, owner: Owner, number: int, day: str) -> Spending:
        spent = [
            (entry.usage.prompt_tokens + entry.usage.completion_tokens, entry.cost or 0)
            for entry in self.entries
            if getattr(entry.call, f"{owner}_id") == number and format_day(entry.ended_at) == day
        ]
        return Spending(sum(tokens for tokens, _ in spent), sum(cost for _, cost in spent))


def make_bare_workbench(
    backends: Mapping[str, BackendFactory], clock: ManualClock | None = None
) -> Workbench:
    """Return a closed workbench that has `backends` and no plugins."""
    clock = clock or ManualClock()
    workbench = make_workbench(
        load_settings(None, environ={}), {}, clock, EventFactory(clock, max_hops=8)
    )
    workbench.provide(LLM_BACKENDS, backends)
    return workbench


def make_gateway(
    backends: Mapping[str, Backend],
    clock: ManualClock | None = None,
    call_log: MemoryCallLog | None = None,
    **settings: object,
) -> LlmGateway:
    """Return a gateway to `backends`, of which the first is the default."""

    def lend(backend: Backend) -> BackendFactory:
        return lambda _: backend

    factories = {name: lend(backend) for name, backend in backends.items()}
    workbench = make_bare_workbench(factories, clock)
    chosen = {"backend": next(iter(backends)), "timeout": 30, **settings}
    return LlmGateway(workbench, LlmSettings.model_validate(chosen), call_log or MemoryCallLog())


async def ask(gateway: LlmGateway, *messages: Message, model: str | None = None) -> Answer:
    """Return a model's answer to `messages`, by default to the question of `CAPITAL`."""
    return await gateway.chat(ChatRequest(messages or CAPITAL, model), CALL)
