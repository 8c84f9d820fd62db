from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from plugins.llm.scripted_server import ScriptedServer


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as running:
        yield running
