"""Workbench with a model that works on missions."""

from __future__ import annotations

import pytest
from support.thinker import Thinker

from biont.testing import ModelServer


@pytest.fixture
def thinker(scripted: ModelServer) -> Thinker:
    scripted.default = thinker = Thinker()
    return thinker


@pytest.fixture
def context() -> int:
    """How many tokens the model can read; to be parametrized."""
    return 128_000


@pytest.fixture
def concurrency() -> int:
    """How many tasks go on at once; to be parametrized."""
    return 4


@pytest.fixture
def sections(scripted: ModelServer, context: int, concurrency: int) -> dict[str, object]:
    openai = {"base_url": scripted.url, "api_key": "x", "model": "m", "context": context}
    llm = {"backend": "openai", "openai": openai, "retries": 0, "circuit_failures": 100}
    missions = {"retry": [0.01, 0.01], "tasks": max(5, concurrency), "concurrency": concurrency}
    return {"plugins": {"llm": llm, "missions": missions}}
