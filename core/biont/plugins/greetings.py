"""Greetings: the lines of plugins that ``biont serve`` prints once it serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import structlog

from biont.plugins.manager import PluginManager
from biont.runtime.containment import contain_exit
from biont.security.error_texts import describe_exception
from biont.workbench import Workbench

_SECONDS = 10.0

_log = structlog.get_logger("biont.plugins")


async def list_greetings(
    plugins: PluginManager, workbench: Workbench, url: str
) -> AsyncIterator[str]:
    """Yield the lines of each running plugin; a plugin that fails is only logged.

    Args:
        plugins: the plugins.
        workbench: the workbench, which runs.
        url: the URL of the server.
    """
    for name in list(plugins.running):
        try:
            with contain_exit():
                lines = plugins.call_hook(name, "greet_operator", workbench=workbench, url=url)
                if lines is None:
                    continue
                async with asyncio.timeout(_SECONDS):
                    found = await lines
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything
            _log.error("greeting failed", plugin=name, reason=describe_exception(error))
            continue
        for line in found:
            yield str(line)
