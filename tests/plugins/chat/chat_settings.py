"""Settings of a workbench with a scripted model server."""

from __future__ import annotations


def make_chat_settings(url: str, **settings: object) -> dict[str, object]:
    """Return sections for the server at `url`, without retries."""
    server = {"base_url": url, "context": settings.pop("context", 128_000)}
    return {"plugins": {"llm": {"backend": "openai", "retries": 0, "openai": server, **settings}}}
