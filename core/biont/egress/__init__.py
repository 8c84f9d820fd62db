"""Egress: the only way out to addresses that a user can influence.

A user who may name a URL must not thereby reach the machine itself, its private network
or the metadata service of its cloud. `EgressPolicy` decides which addresses are allowed;
`EgressSession` sends requests that cannot get around the policy.
"""

from biont.lazy_names import load_lazily

__getattr__, __dir__ = load_lazily(__name__, __file__)
