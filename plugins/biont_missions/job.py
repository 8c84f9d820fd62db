"""Job kind ``mission``: a schedule whose runs create missions."""

from __future__ import annotations

from biont import Finish, JobKind, JsonObject, Run, Transaction, Workbench
from biont.llm import LlmCall
from biont_missions.mission_factory import MISSIONS
from biont_missions.views import NewMission


async def start_due_mission(run: Run, workbench: Workbench) -> Finish:
    """Return the function that creates the mission and finishes the run.

    The run succeeds as soon as the mission exists. The mission itself may fail later.

    Raises:
        InvalidInput: a tool of the mission does not exist any more.
    """
    new = run.parameters_as(NewMission)
    factory = workbench.get(MISSIONS)
    factory.check(new)

    # The scheduler calls `insert` in the transaction that records the run as succeeded, so
    # a crash leaves both or none: no run creates two missions.
    def insert(tx: Transaction) -> JsonObject:
        payer = LlmCall(user_id=run.user_id, schedule_id=run.schedule_id, run_id=run.id)
        return {"mission_id": factory.insert(tx, payer, new).id}

    return insert


MISSION = JobKind("mission", NewMission, start_due_mission)
