"""Language models: ask one, whatever serves it."""

from biont_llm.accounting.reservations import Amount, Reservations
from biont_llm.answer_stream import AnswerStream
from biont_llm.backend_limits import BackendLimits
from biont_llm.gateway import LANGUAGE_MODELS, LlmGateway
from biont_llm.token_estimates import estimate_prompt, estimate_tokens

__all__ = [
    "LANGUAGE_MODELS",
    "Amount",
    "AnswerStream",
    "BackendLimits",
    "LlmGateway",
    "Reservations",
    "estimate_prompt",
    "estimate_tokens",
]
