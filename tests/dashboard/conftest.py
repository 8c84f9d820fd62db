"""Fixtures of the dashboard: visitors who have signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from support.visitor import Visitor

from biont import Scope
from biont.testing import MakeClient

Visit = Callable[..., Awaitable[Visitor]]


@pytest.fixture
async def visit(open_client: MakeClient) -> AsyncIterator[Visit]:
    """Return a function that opens a browser: ``await visit("ada", Scope.READ)``.

    The user None makes a visitor who has not signed in.
    """
    async with AsyncExitStack() as stack:

        async def open_one(user: str | None = "ada", scope: Scope = Scope.FULL) -> Visitor:
            client = await open_client(user, scope)
            visitor = await stack.enter_async_context(Visitor(client.url))
            if user is not None:
                screen = await visitor.sign_in(client.headers["X-API-Key"])
                assert screen.status == 200, screen.text
            return visitor

        yield open_one


@pytest.fixture
async def visitor(visit: Visit) -> Visitor:
    """A visitor who has signed in as "ada" with a key of scope ``full``."""
    return await visit()
