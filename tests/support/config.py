"""The configuration of tests."""

from biont.testing import write_config

__all__ = ["write_config"]
