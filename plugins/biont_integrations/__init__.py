"""Integrations: connections to other systems, through which messages and reports go."""

from biont_integrations.integrations import INTEGRATIONS, Integrations

__all__ = ["INTEGRATIONS", "Integrations"]
