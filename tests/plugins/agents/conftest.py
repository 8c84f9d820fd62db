from __future__ import annotations

import pytest
from support.scripted_server import ScriptedServer


@pytest.fixture
def native_tools() -> bool:
    """Whether the scripted model calls tools; to be parametrized."""
    return True


@pytest.fixture
def sections(scripted: ScriptedServer, native_tools: bool) -> dict[str, object]:
    openai = {
        "base_url": scripted.url,
        "api_key": "x",
        "model": "m",
        "native_tools": native_tools,
    }
    return {"plugins": {"llm": {"backend": "openai", "openai": openai, "retries": 0}}}
