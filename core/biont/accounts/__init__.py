"""Accounts: users, API keys, and tables whose rows belong to users."""

from biont.lazy_names import load_lazily

__getattr__, __dir__ = load_lazily(__name__, __file__)
