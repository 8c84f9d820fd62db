"""Command line: each command imports its dependencies when it runs, so that help is fast."""

from biont.cli.main import main
from biont.lazy_names import load_lazily

__all__ = ["main"]

__getattr__, __dir__ = load_lazily(__name__, __file__)
