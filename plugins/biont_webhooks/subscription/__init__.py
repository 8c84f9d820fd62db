"""Webhook subscriptions: filters, headers, retry policy and signing keys of one webhook."""
