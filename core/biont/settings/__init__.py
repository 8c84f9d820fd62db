"""Settings: read from YAML files and the environment, validated, frozen.

A variable ``BIONT_SECTION__KEY`` overrides the same key in a file, and a file overrides
the default. Lists and mappings are written as JSON in a variable; an empty variable
counts as unset.
"""

from biont.lazy_names import load_lazily

__getattr__, __dir__ = load_lazily(__name__, __file__)
