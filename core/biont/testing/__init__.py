"""Testing: a pytest plugin, and the servers and clients that tests of plugins need.

Name ``biont.testing.plugin`` in `pytest_plugins` of the root ``conftest.py``. The extra
``biont[testing]`` installs the packages that these modules need.
"""

from biont.lazy_names import load_lazily

__getattr__, __dir__ = load_lazily(__name__, __file__)
