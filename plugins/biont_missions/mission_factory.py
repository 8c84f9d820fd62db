"""Mission factory: creates missions, for REST clients, schedules and other plugins.

A plugin starts a mission for a user by the service `MISSIONS`::

    mission = await workbench.get(MISSIONS).create(user_id, "Summarise my notes")

A mission that fails has no effect on its creator: the outcome is in the table and in the
events ``mission_completed`` and ``mission_failed``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pydantic import ValidationError

from biont import Service, Transaction, Workbench
from biont.exceptions import InvalidInput, point_to
from biont.llm import TOOLS, LlmCall, check_tool_names
from biont_missions.missions import MissionLimits, create_mission
from biont_missions.plans import PlannedTask, check_steps
from biont_missions.runner import MISSION_RUNNER
from biont_missions.settings import MissionSettings
from biont_missions.tables import Mission
from biont_missions.views import NewMission


class MissionFactory:
    """Creator of missions, with the operator's settings as defaults.

    Args:
        workbench: the workbench with the store, the tools and the mission runner.
        settings: the defaults and limits.
    """

    def __init__(self, workbench: Workbench, settings: MissionSettings) -> None:
        self._workbench = workbench
        self._settings = settings

    def prepare(
        self,
        user_id: int,
        goal: str,
        *,
        tools: Sequence[str] | None = None,
        model: str | None = None,
    ) -> Callable[[Transaction], Mission]:
        """Return a function that creates and starts a mission as part of a larger transaction.

        The arguments and errors are those of `create`; the function itself raises none of them.
        """
        new = _validate(
            goal=goal, tools=None if tools is None else list(tools), model=model, steps=[]
        )
        self.check(new)
        return partial(self.insert, payer=LlmCall(user_id=user_id), new=new)

    async def create(  # noqa: PLR0913  # the choices of a mission, by their names
        self,
        user_id: int,
        goal: str,
        *,
        steps: Sequence[PlannedTask] = (),
        tools: Sequence[str] | None = None,
        model: str | None = None,
        max_tokens: int | None = None,
        reviews: int | None = None,
        start: bool = True,
    ) -> Mission:
        """Create a mission for a user, and start the mission.

        Args:
            user_id: the user on whose behalf the mission runs, and whose budget pays.
            goal: the goal, in plain language.
            steps: the tasks of the mission; without steps the model plans the tasks.
            tools: the names of the tools that the tasks may call; None for the setting
                ``plugins.missions.tools``, an empty sequence for no tools.
            model: a model, as in `biont.llm.ChatRequest`; None for the default.
            max_tokens: the token budget of the mission; None for the setting.
            reviews: the largest number of reviews; None for the setting.
            start: False creates a draft, which ``POST /missions/{id}/run`` starts.

        Returns:
            The mission. The row is durable; the work has just begun.

        Raises:
            InvalidInput: an argument is not allowed, a tool does not exist, or a step
                depends on a later step.
            StoreUnavailable: the mission could not be recorded.
        """
        new = _validate(
            goal=goal,
            steps=list(steps),
            tools=None if tools is None else list(tools),
            model=model,
            max_tokens=max_tokens,
            reviews=reviews,
            start=start,
        )
        self.check(new)
        return await self._workbench.store.transact(self.insert, LlmCall(user_id=user_id), new)

    def check(self, new: NewMission) -> None:
        """Check the tools and the steps of a new mission.

        Raises:
            InvalidInput: a tool does not exist, there are too many steps, or a step depends
                on a later step.
        """
        check_tool_names(self._workbench.get(TOOLS), self._find_tools(new), "#/tools")
        check_steps(new.steps, 0, self._settings.tasks)

    def insert(self, tx: Transaction, payer: LlmCall, new: NewMission) -> Mission:
        """Insert a mission that passed `check`, as part of a larger transaction.

        Args:
            tx: the transaction.
            payer: the user, key and schedule on whose account the mission calls models.
            new: the mission to create.
        """
        settings = self._settings
        mission = create_mission(
            tx,
            payer,
            self._workbench.clock.now(),
            new,
            tools=self._find_tools(new),
            limits=MissionLimits(
                max_tokens=new.max_tokens or settings.tokens,
                max_reviews=settings.reviews if new.reviews is None else new.reviews,
            ),
        )
        if new.start:
            runner = self._workbench.get(MISSION_RUNNER)
            # After the commit, because the runner reads the mission from the table. A crash
            # in between loses nothing: the next start resumes all unfinished missions.
            tx.after_commit(lambda: runner.resume(mission.id))
        return mission

    def _find_tools(self, new: NewMission) -> Sequence[str]:
        return self._settings.tools if new.tools is None else new.tools


def _validate(**fields: object) -> NewMission:
    try:
        return NewMission.model_validate(fields)
    except ValidationError as error:
        raise InvalidInput.from_validation(error, point_to) from error


MISSIONS = Service[MissionFactory]("missions", provider="missions")
"""Creates missions on behalf of users; for other plugins."""
