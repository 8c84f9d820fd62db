"""Outgoing webhooks: signed POST requests that tell subscribers of events."""
