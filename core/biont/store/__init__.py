"""Store: SQLite through peewee, off the event loop, with group commit."""

from biont.lazy_names import load_lazily

__getattr__, __dir__ = load_lazily(__name__, __file__)
