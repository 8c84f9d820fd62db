"""Plugin registry: all that the running plugins have registered, as services of the workbench.

The mappings of the services are emptied and filled again at each quarantine. So code that has
asked for a service before never sees a tool, job kind or backend of a plugin in quarantine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from biont.contract.integrations import INTEGRATION_KINDS, IntegrationKind
from biont.contract.jobs import JOB_KINDS, JobKind
from biont.contract.llm import LLM_BACKENDS, BackendFactory
from biont.contract.panels import PANELS, Panel
from biont.contract.tools import TOOLS, Tool
from biont.event_types import EventTypes
from biont.exceptions import JobError
from biont.operations.part import BoundKind
from biont.plugins.claims import CORE
from biont.plugins.contributions import Contributions
from biont.plugins.core_event_types import CORE_EVENT_TYPES
from biont.plugins.core_operations import CORE_OPERATIONS
from biont.plugins.manager import PluginManager
from biont.runtime.plugin_tasks import current_plugin
from biont.scheduler.run import Finish, Job, Run
from biont.workbench import Workbench


class PluginRegistry:
    """Tools, job kinds, backends and event types of the running plugins.

    Args:
        plugins: the plugins.
        workbench: the workbench that offers the services.

    Attributes:
        event_types: the event types of the core and of the running plugins.
    """

    def __init__(self, plugins: PluginManager, workbench: Workbench) -> None:
        self.event_types = EventTypes({})
        self._plugins = plugins
        self._workbench = workbench
        self._tools: dict[str, Tool] = {}
        self._job_kinds: dict[str, JobKind] = {}
        self._backends: dict[str, BackendFactory] = {}
        self._integrations: dict[str, IntegrationKind] = {}
        self._panels: list[Panel] = []

    def provide(self) -> None:
        """Offer the services; call this function once all plugins have registered."""
        self.refresh()
        self._workbench.provide(JOB_KINDS, self._job_kinds)
        self._workbench.provide(TOOLS, self._tools)
        self._workbench.provide(LLM_BACKENDS, self._backends)
        self._workbench.provide(INTEGRATION_KINDS, self._integrations)
        self._workbench.provide(PANELS, self._panels)

    def refresh(self) -> None:
        """Fill the services with the contributions of the plugins that run by now."""
        found = self._plugins.contributions
        for mapping in (self._tools, self._job_kinds, self._backends, self._integrations):
            mapping.clear()
        for contributions in found.values():
            self._tools |= {tool.name: tool for tool in contributions.tools}
            self._backends |= contributions.backends
            self._integrations |= {kind.name: kind for kind in contributions.integrations}
            self._add_job_kinds(contributions)
        panels = [panel for each in found.values() for panel in each.panels]
        self._panels[:] = sorted(panels, key=lambda panel: (panel.weight, panel.name))
        self.event_types = EventTypes(
            {CORE: CORE_EVENT_TYPES}
            | {name: contributions.event_types for name, contributions in found.items()}
        )

    def bind_jobs(self) -> Mapping[str, Job]:
        """Return the job of each kind, bound to the workbench.

        The job of a kind whose plugin is in quarantine fails with the reason.
        """
        lost = {name: _make_lost_job(reason) for name, reason in self._find_lost_kinds().items()}
        return lost | {
            kind.name: self._bind(plugin, kind)
            for plugin, contributions in self._plugins.contributions.items()
            for kind in contributions.jobs
            if kind.name in self._job_kinds
        }

    def bind_operations(self) -> Mapping[str, BoundKind]:
        """Return the operation kinds of the core and of the running plugins, by name."""
        workbench = self._workbench
        bound = {kind.name: kind.bind(workbench, None) for kind in CORE_OPERATIONS}
        for plugin, contributions in self._plugins.contributions.items():
            bound |= {kind.name: kind.bind(workbench, plugin) for kind in contributions.operations}
        return bound

    def _bind(self, plugin: str, kind: JobKind) -> Callable[[Run], Awaitable[Finish]]:
        async def do_job(run: Run) -> Finish:
            # Tasks that the job creates belong to the plugin.
            current_plugin.set(plugin)
            return await kind.run(run, self._workbench)

        return do_job

    def _add_job_kinds(self, contributions: Contributions) -> None:
        for kind in contributions.jobs:
            if all(name in self._plugins.running for name in kind.requires):
                self._job_kinds[kind.name] = kind

    def _find_lost_kinds(self) -> dict[str, str]:
        """Return the reason of each job kind that is known, but cannot run."""
        plugins = self._plugins
        lost = {
            kind: f"the plugin {name!r} is in quarantine: {plugins.quarantined[name]}"
            for name, kinds in plugins.lost_job_kinds.items()
            for kind in kinds
        }
        for contributions in plugins.contributions.values():
            for kind in contributions.jobs:
                for name in kind.requires:
                    if name not in plugins.running:
                        lost[kind.name] = plugins.explain_absence(name)
        return lost


def _make_lost_job(reason: str) -> Job:
    async def fail(_: Run) -> Finish:
        raise JobError(reason)

    return fail
