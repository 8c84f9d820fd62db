"""Language models: one gateway to the models of all backends."""

from biont_llm.accounting.reservations import Amount, Reservations
from biont_llm.accounting.usage import sum_mission_cost
from biont_llm.answer_stream import AnswerStream
from biont_llm.gateway import LLM_GATEWAY, LlmGateway
from biont_llm.limit_settings import BackendLimits
from biont_llm.token_estimates import estimate_prompt, estimate_tokens

__all__ = [
    "LLM_GATEWAY",
    "Amount",
    "AnswerStream",
    "BackendLimits",
    "LlmGateway",
    "Reservations",
    "estimate_prompt",
    "estimate_tokens",
    "sum_mission_cost",
]
