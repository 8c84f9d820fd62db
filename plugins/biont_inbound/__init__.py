"""Inbound webhooks: requests of other systems that become events, prompts, missions and notes."""
