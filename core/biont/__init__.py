"""Biont Workbench: connects an AI to any system.

These are the names that a first plugin needs. Further public names stand in
`biont.accounts`, `biont.cli`, `biont.client`, `biont.clock`, `biont.egress`, `biont.events`,
`biont.exceptions`, `biont.http`, `biont.llm`, `biont.operations`, `biont.scheduling`,
`biont.security`, `biont.settings` and `biont.store`.
"""

from biont.lazy_names import load_lazily

__getattr__, __dir__ = load_lazily(__name__, __file__)
