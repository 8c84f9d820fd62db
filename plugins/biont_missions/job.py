"""The job kind ``mission``: begin a mission when it is due."""

from __future__ import annotations

from biont import Finish, JobKind, JsonObject, Run, Transaction, Workbench
from biont.llm import LlmCall
from biont_missions.mission_factory import MissionFactory
from biont_missions.views import NewMission


async def begin_mission(run: Run, workbench: Workbench) -> Finish:
    """Return what keeps the mission; the run has succeeded once it has begun.

    Raises:
        InvalidInput: one of its tools is gone.
    """
    wanted = run.parameters_as(NewMission)
    maker = MissionFactory(workbench)
    maker.check(wanted)

    def begin(tx: Transaction) -> JsonObject:
        payer = LlmCall(user_id=run.user_id, schedule_id=run.schedule_id, run_id=run.id)
        return {"mission_id": maker.make(tx, payer, wanted).id}

    return begin


MISSION = JobKind("mission", NewMission, begin_mission)
