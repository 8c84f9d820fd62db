"""Listeners: named consumers that fetch signed messages instead of getting requests."""
