"""Client of the REST API, in sync and async form; the server's parts are not imported."""

from biont.lazy_names import load_lazily

__getattr__, __dir__ = load_lazily(__name__, __file__)
