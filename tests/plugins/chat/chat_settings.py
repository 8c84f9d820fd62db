"""Settings of a workbench whose model is a test's own server."""

from __future__ import annotations


def make_chat_settings(url: str, **settings: object) -> dict[str, object]:
    """Return sections that ask the server at `url`, each question once."""
    server = {"base_url": url, "context": settings.pop("context", 128_000)}
    return {"plugins": {"llm": {"backend": "openai", "retries": 0, "openai": server, **settings}}}
