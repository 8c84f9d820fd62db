"""The one way out: requests to addresses that a user can influence.

Whoever may name a URL must not thereby reach the machine itself, its private
network or its cloud's metadata service. `EgressPolicy` says which addresses may
be spoken to, `EgressSession` sends requests that cannot get around it.
"""

from __future__ import annotations

from biont.egress.policy import EgressPolicy
from biont.egress.session import EgressResponse, EgressSession

__all__ = ["EgressPolicy", "EgressResponse", "EgressSession"]
