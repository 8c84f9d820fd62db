"""Integrations: connections to other systems, for messages and reports."""

from biont_integrations.integrations import INTEGRATIONS, Integrations

__all__ = ["INTEGRATIONS", "Integrations"]
