"""Integration kinds of other people's plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from biont import (
    INTEGRATION_KINDS,
    IntegrationContext,
    IntegrationKind,
    OutgoingMessage,
    Workbench,
    hookimpl,
    make_integration_kind,
)
from biont.application import Application
from biont.exceptions import PluginExit


class PagerSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int
    code: SecretStr


async def page(context: IntegrationContext[PagerSettings], message: OutgoingMessage) -> None:
    if message.title == "exit":
        raise SystemExit(context.settings.number)


@hookimpl
def register_integrations() -> Sequence[IntegrationKind]:
    return [make_integration_kind("pager", "Pagers of the nineties.", PagerSettings, page)]


def make_plugin() -> ModuleType:
    module = ModuleType("pager")
    module.register_integrations = register_integrations  # type: ignore[attr-defined]  # a plugin is a module
    return module


@pytest.fixture
def plugins() -> Mapping[str, ModuleType]:
    return {"pager": make_plugin(), "zebra": make_plugin()}


async def test_a_kind_of_a_plugin_is_offered_and_cannot_end_the_process(
    workbench: Workbench,
) -> None:
    kind = workbench.get(INTEGRATION_KINDS)["pager"]
    settings = PagerSettings(number=7, code=SecretStr("x"))
    context: IntegrationContext[BaseModel] = IntegrationContext(
        settings, workbench.egress, 1, workbench.clock
    )
    await kind.send(context, OutgoingMessage("Hello", ""))
    with pytest.raises(PluginExit):
        await kind.send(context, OutgoingMessage("exit", ""))


async def test_a_kind_with_the_name_of_another_puts_its_plugin_into_quarantine(
    application: Application,
) -> None:
    assert "integration kind 'pager'" in application.quarantine_reasons["zebra"]
    assert "pager" in application.running_plugins
