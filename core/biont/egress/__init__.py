"""Egress: guarded HTTP requests to URLs that users can influence.

A user who may name a URL must not thereby reach the machine itself, the private network or the
metadata service of a cloud. `EgressPolicy` decides which addresses are allowed;
`EgressSession` sends requests only to allowed addresses.
"""

from biont.lazy_names import load_lazily

__getattr__, __dir__ = load_lazily(__name__, __file__)
