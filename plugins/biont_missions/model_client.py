"""Model client of missions: repeats requests to unavailable models, and keeps to the budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from typing import TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from biont import Workbench
from biont.exceptions import (
    BackendError,
    BackendMissing,
    BackendOverloaded,
    BackendTimeout,
    BackendUnavailable,
    CircuitOpen,
    InvalidAnswer,
    LimitReached,
    describe_validation_error,
)
from biont.llm import ChatRequest, LlmCall, Message, ResponseFormat
from biont_llm import LLM_GATEWAY, Amount, Reservations
from biont_missions.missions import add_mission_tokens
from biont_missions.tables import Mission

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_QUOTED_PROBLEMS = 10
"""Largest number of mistakes that an error quotes; the next prompt repeats the error."""

_PASSING = (BackendOverloaded, BackendTimeout, BackendUnavailable)

_log = structlog.get_logger("biont.missions")


class ModelClient:
    """Client that asks models on behalf of missions, and counts the tokens.

    Tasks run side by side and share the budget of their mission. So each request first
    reserves the tokens that it may use: two requests never spend the same rest of a budget.

    Args:
        workbench: the workbench with the models.
        retry: the pauses between requests to an unavailable model, in seconds.
    """

    def __init__(self, workbench: Workbench, retry: Sequence[float]) -> None:
        self._workbench = workbench
        self._retry = retry
        self._reservations = Reservations[int]()

    async def retry_while_unavailable(
        self, mission: Mission, ask: Callable[[], Awaitable[T]]
    ) -> T:
        """Call `ask`, again after each pause while the model is unavailable.

        Raises:
            BackendError: the last call failed as well, or the error will not pass.
        """
        pauses = iter(self._retry)
        while True:
            try:
                return await ask()
            except BackendMissing:
                raise  # a kind of "unavailable" that only the operator can end
            except _PASSING as error:
                pause = _find_pause(error, pauses)
                if pause is None:
                    raise
                _log.warning(
                    "model unavailable; asking again",
                    mission_id=mission.id,
                    pause=pause,
                    error=str(error),
                )
                await asyncio.sleep(pause)

    @asynccontextmanager
    async def reserve(self, mission_id: int, request: ChatRequest) -> AsyncIterator[None]:
        """Reserve the tokens that a request may use of the mission's budget.

        The request and the recording of its usage happen inside the context.

        Raises:
            LimitReached: the budget is exhausted.
        """
        mission = await self._workbench.store.read(Mission.get_by_id, mission_id)
        models = self._workbench.get(LLM_GATEWAY)

        def estimate(_: int) -> Amount:
            return Amount(models.estimate_reservation(request, mission.max_tokens))

        read_left = partial(self._read_left, mission_id)
        async with self._reservations.hold([mission_id], estimate, read_left):
            yield

    async def _read_left(self, mission_id: int) -> dict[int, Amount]:
        # No limit on money: a mission has a budget of tokens only.
        return {mission_id: Amount(await read_remaining_tokens(self._workbench, mission_id), inf)}

    def find_context_size(self, mission: Mission) -> int | None:
        """Return the context size of the mission's model in tokens; None if unknown."""
        return self._workbench.get(LLM_GATEWAY).find_backend_limits(mission.model).context

    async def ask_for_text(self, mission: Mission, messages: Sequence[Message]) -> str:
        """Return the text of a model's answer.

        Raises:
            BackendError: the model gives no answer.
            LimitReached: the budget is exhausted.
        """
        return await self._ask(mission, ChatRequest(messages, mission.model))

    async def ask_for(self, mission: Mission, messages: Sequence[Message], model: type[M]) -> M:
        """Return a model's answer, parsed as `model`.

        Raises:
            InvalidAnswer: the answer does not match `model`.
            BackendError: the model gives no answer.
            LimitReached: the budget is exhausted.
        """
        shape = ResponseFormat(model.__name__.lower(), model.model_json_schema())
        text = await self._ask(
            mission, ChatRequest(messages, mission.model, response_format=shape)
        )
        try:
            return model.model_validate_json(text)
        except ValidationError as error:
            problems = describe_validation_error(error, root="the answer", limit=_QUOTED_PROBLEMS)
            raise InvalidAnswer(
                f"the model's {model.__name__.lower()} is wrong: {problems}"
            ) from error

    async def _ask(self, mission: Mission, request: ChatRequest) -> str:
        return await self.retry_while_unavailable(
            mission, lambda: self._ask_once(mission, request)
        )

    async def _ask_once(self, mission: Mission, request: ChatRequest) -> str:
        models = self._workbench.get(LLM_GATEWAY)
        async with self.reserve(mission.id, request):
            answer = await models.chat(request, make_llm_call(mission))
            used = answer.usage.prompt_tokens + answer.usage.completion_tokens
            await self._workbench.store.write(add_mission_tokens, mission.id, used)
        return answer.text


def _find_pause(error: BackendError, pauses: Iterator[float]) -> float | None:
    """Return the pause before the next request, in seconds; None if there is no next one."""
    # An open circuit is no attempt: nobody asked the model, and the mission can wait.
    return error.retry_after if isinstance(error, CircuitOpen) else next(pauses, None)


async def read_remaining_tokens(workbench: Workbench, mission_id: int) -> int:
    """Return the number of tokens that a mission has left.

    Raises:
        LimitReached: no tokens are left.
    """
    mission = await workbench.store.read(Mission.get_by_id, mission_id)
    left = int(mission.max_tokens - mission.tokens)
    if left <= 0:
        raise LimitReached(f"the mission has used up its {mission.max_tokens} tokens")
    return left


def make_llm_call(mission: Mission) -> LlmCall:
    """Return the user, key and schedule on whose account a mission calls models."""
    return LlmCall(
        user_id=mission.user_id,
        key_id=mission.key_id,
        schedule_id=mission.schedule_id,
        mission_id=mission.id,
    )
