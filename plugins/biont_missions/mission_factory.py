"""Makes missions of what is asked for, with the settings where nothing is said."""

from __future__ import annotations

from collections.abc import Sequence

from biont import Transaction, Workbench
from biont.llm import TOOLS, LlmCall, check_tool_names
from biont_missions.missions import create_mission
from biont_missions.plans import check_steps
from biont_missions.runner import MISSIONS
from biont_missions.settings import MissionSettings
from biont_missions.tables import Mission
from biont_missions.views import NewMission


class MissionFactory:
    """Keeps missions, and lets them begin.

    Args:
        workbench: has the settings and the tools.
    """

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._settings = workbench.plugin_settings("missions", MissionSettings)

    def check(self, wanted: NewMission) -> None:
        """Check what a mission is to be.

        Raises:
            InvalidInput: a tool does not exist, or its steps cannot be done in their order.
        """
        check_tool_names(self._workbench.get(TOOLS), self._find_tools(wanted), "#/tools")
        check_steps(wanted.steps, 0, self._settings.tasks)

    def make(self, tx: Transaction, payer: LlmCall, wanted: NewMission) -> Mission:
        """Keep a mission that was checked; it begins once the write is durable.

        Args:
            tx: the write that it is part of.
            payer: on whose behalf it will ask.
            wanted: what it is to be.
        """
        settings = self._settings
        mission = create_mission(
            tx,
            payer,
            self._workbench.clock.now(),
            goal=wanted.goal,
            model=wanted.model,
            tools=self._find_tools(wanted),
            max_tokens=wanted.max_tokens or settings.tokens,
            max_reviews=settings.reviews if wanted.reviews is None else wanted.reviews,
            steps=wanted.steps,
            start=wanted.start,
        )
        if wanted.start:
            runner = self._workbench.get(MISSIONS)
            tx.after_commit(lambda: runner.go_on(mission.id))
        return mission

    def _find_tools(self, wanted: NewMission) -> Sequence[str]:
        return self._settings.tools if wanted.tools is None else wanted.tools
