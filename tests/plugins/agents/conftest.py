from __future__ import annotations

import pytest

from biont.testing import ModelServer


@pytest.fixture
def native_tools() -> bool:
    """Whether the scripted model calls tools; to be parametrized."""
    return True


@pytest.fixture
def sections(scripted: ModelServer, native_tools: bool) -> dict[str, object]:
    openai = {
        "base_url": scripted.url,
        "api_key": "x",
        "model": "m",
        "native_tools": native_tools,
    }
    return {"plugins": {"llm": {"backend": "openai", "openai": openai, "retries": 0}}}
