"""Language models: ask one, whatever serves it, and chat over HTTP."""

from biont_llm.models import LANGUAGE_MODELS, LanguageModels

__all__ = ["LANGUAGE_MODELS", "LanguageModels"]
