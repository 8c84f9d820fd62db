"""The example of the how-to "Add a page to the dashboard"."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import pytest
from support.pages import read_examples
from support.visitor import Visitor

from biont.testing import ApiClient


@pytest.fixture
def plugins() -> Mapping[str, ModuleType]:
    """The plugin of the how-to."""
    (source,) = read_examples("docs/how-to/add-a-page.md", "page")
    module = ModuleType("tag_page")
    exec(source, module.__dict__)  # noqa: S102  # the example of our own page
    return {"tag_page": module}


async def test_example_shows_the_tags(visitor: Visitor, client: ApiClient) -> None:
    assert "No note has a tag yet." in (await visitor.open("/dashboard")).text
    await client.post("/notes", {"title": "Bread", "tags": ["food"]})
    await client.post("/notes", {"title": "<b>", "tags": ["<i>", "food"]})
    screen = await visitor.open("/dashboard/panels/tags")
    assert screen.status == 200
    assert ">food</a>" in screen.text
    assert "&lt;i&gt;" in screen.text
    assert "food" in (await visitor.open("/dashboard")).text
