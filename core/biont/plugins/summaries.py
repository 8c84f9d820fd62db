"""Summaries of plugins: the state of each plugin, and all that the plugin has registered."""

from __future__ import annotations

from collections.abc import Sequence

from biont.events.handlers import Handler
from biont.http.system import PluginSummary
from biont.plugins.contributions import Contributions
from biont.plugins.manager import PluginManager
from biont.plugins.state import PluginState

_NOTHING = Contributions()


def summarise_plugins(
    plugins: PluginManager, states: Sequence[PluginState], handlers: Sequence[Handler]
) -> list[PluginSummary]:
    """Return a summary of each plugin, in the order of `states`."""
    summaries = []
    for state in states:
        found = plugins.contributions.get(state.name, _NOTHING)
        names = [handler.name for handler in handlers if handler.plugin == state.name]
        summaries.append(
            PluginSummary(
                name=state.name,
                state=state.state,
                description=state.describe(),
                is_built_in=plugins.is_built_in(state.name),
                routes=[route.name for route in found.api or () if route.described],
                event_types=[each.name for each in found.event_types],
                tools=[tool.name for tool in found.tools],
                jobs=[kind.name for kind in found.jobs],
                handlers=names,
            )
        )
    return summaries
