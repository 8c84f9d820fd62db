"""Operations: acts on many rows, worked off in small parts in the background."""

from biont.lazy_names import load_lazily

__getattr__, __dir__ = load_lazily(__name__, __file__)
