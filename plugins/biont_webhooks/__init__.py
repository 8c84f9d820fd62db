"""Outgoing webhooks: signed POST requests that deliver events to subscribers."""
