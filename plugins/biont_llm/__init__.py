"""Language models: ask one, whatever serves it."""

from biont_llm.answer_stream import AnswerStream
from biont_llm.models import LANGUAGE_MODELS, LanguageModels
from biont_llm.terms import Terms
from biont_llm.tokens import estimate_prompt, estimate_tokens

__all__ = [
    "LANGUAGE_MODELS",
    "AnswerStream",
    "LanguageModels",
    "Terms",
    "estimate_prompt",
    "estimate_tokens",
]
