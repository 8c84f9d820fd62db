"""Asks models on behalf of missions: again where they gave no answer, and within the budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from typing import TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from biont import Workbench
from biont.exceptions import (
    BackendMissing,
    BackendOverloaded,
    BackendTimeout,
    BackendUnavailable,
    InvalidAnswer,
    LimitReached,
    describe_validation_error,
)
from biont.llm import ChatRequest, LlmCall, Message, ResponseFormat
from biont_llm import LANGUAGE_MODELS, Amount, Reservations
from biont_missions.missions import count_tokens
from biont_missions.tables import Mission

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_NAMED = 10
"""How many mistakes of an answer a model is told."""

_PASSING = (BackendOverloaded, BackendTimeout, BackendUnavailable)

_log = structlog.get_logger("biont_missions")


class ModelClient:
    """Asks models, and counts for each mission what that costs.

    Args:
        workbench: has the models.
        retry: the pauses before it is asked again, in seconds.
    """

    def __init__(self, workbench: Workbench, retry: Sequence[float]) -> None:
        self._workbench = workbench
        self._retry = retry
        self._reservations = Reservations[int]()

    async def persist(self, mission: Mission, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what `ask` does, tried again while a model's server is out of reach.

        Raises:
            BackendError: there is no answer after the last pause, or there will be none.
        """
        for pause in self._retry:
            try:
                return await ask()
            except BackendMissing:
                raise
            except _PASSING as error:
                _log.warning("asked again", mission_id=mission.id, pause=pause, error=str(error))
                await asyncio.sleep(pause)
        return await ask()

    @asynccontextmanager
    async def reserve(self, mission_id: int, request: ChatRequest) -> AsyncIterator[None]:
        """Reserve what a question may take of the mission's budget.

        The question is asked, and what it took is counted, inside.

        Raises:
            LimitReached: the mission's budget is used up.
        """
        mission = await self._workbench.store.read(Mission.get_by_id, mission_id)
        models = self._workbench.get(LANGUAGE_MODELS)

        def size_up(_: int) -> Amount:
            return Amount(models.foresee_tokens(request, mission.max_tokens))

        find_left = partial(self._find_left, mission_id)
        async with self._reservations.hold([mission_id], size_up, find_left):
            yield

    async def _find_left(self, mission_id: int) -> dict[int, Amount]:
        return {mission_id: Amount(await check_budget(self._workbench, mission_id), inf)}

    def find_context(self, mission: Mission) -> int | None:
        """Return how many tokens a mission's model can read; None if not known."""
        return self._workbench.get(LANGUAGE_MODELS).find_backend_limits(mission.model).context

    async def ask_for_text(self, mission: Mission, messages: Sequence[Message]) -> str:
        """Return what a model says.

        Raises:
            BackendError: there is no answer, or the budget is used up.
        """
        return await self._ask(mission, ChatRequest(messages, mission.model))

    async def ask_for(self, mission: Mission, messages: Sequence[Message], model: type[M]) -> M:
        """Return what a model says in the shape of `model`.

        Raises:
            InvalidAnswer: it says something of another shape.
            BackendError: there is no answer, or the budget is used up.
        """
        shape = ResponseFormat(model.__name__.lower(), model.model_json_schema())
        text = await self._ask(
            mission, ChatRequest(messages, mission.model, response_format=shape)
        )
        try:
            return model.model_validate_json(text)
        except ValidationError as error:
            problems = describe_validation_error(error, root="the answer", limit=_NAMED)
            raise InvalidAnswer(
                f"the model's {model.__name__.lower()} is wrong: {problems}"
            ) from error

    async def _ask(self, mission: Mission, request: ChatRequest) -> str:
        return await self.persist(mission, lambda: self._ask_once(mission, request))

    async def _ask_once(self, mission: Mission, request: ChatRequest) -> str:
        models = self._workbench.get(LANGUAGE_MODELS)
        async with self.reserve(mission.id, request):
            answer = await models.chat(request, make_call(mission))
            spent = answer.usage.prompt_tokens + answer.usage.completion_tokens
            await self._workbench.store.write(count_tokens, mission.id, spent)
        return answer.text


async def check_budget(workbench: Workbench, mission_id: int) -> int:
    """Return how many tokens a mission has left.

    Raises:
        LimitReached: none.
    """
    mission = await workbench.store.read(Mission.get_by_id, mission_id)
    left = int(mission.max_tokens - mission.tokens)
    if left <= 0:
        raise LimitReached(f"the mission has used up its {mission.max_tokens} tokens")
    return left


def make_call(mission: Mission) -> LlmCall:
    """Return on whose behalf a mission asks."""
    return LlmCall(
        user_id=mission.user_id,
        key_id=mission.key_id,
        schedule_id=mission.schedule_id,
        mission_id=mission.id,
    )
