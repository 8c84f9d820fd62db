"""Backends that speak OpenAI's protocol."""
