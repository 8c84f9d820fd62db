"""REST routes of missions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from biont import Api, Page, Request, RowId
from biont.http import AnyOf, ListQuery, make_page
from biont.llm import LlmCall
from biont.store import read_merged_page
from biont_llm import sum_mission_cost
from biont_missions.mission_factory import MISSIONS
from biont_missions.missions import (
    cancel_mission,
    load_owned_mission,
    retry_mission,
    select_missions,
    start_mission,
)
from biont_missions.runner import MISSION_RUNNER
from biont_missions.tables import Mission, MissionStatus
from biont_missions.views import (
    MissionDetail,
    MissionView,
    NewMission,
    Retry,
    make_mission_detail,
    make_mission_view,
)

api = Api("missions", description="Goals that a language model pursues in steps.")


@api.post(
    "/missions",
    narrowable=False,
    location="/missions/{id}",
    example={"goal": "Summarise my notes about tea."},
)
async def create_mission(request: Request, body: NewMission) -> MissionView:
    """Create a mission: the AI plans tasks for a goal, runs them, reviews and reports.

    The answer comes at once, and the mission runs in the background. With `start: false` it waits
    for a run. The events `mission_completed` and `mission_failed` tell the end.
    """
    factory = request.workbench.get(MISSIONS)
    factory.check(body)
    payer = LlmCall(user_id=request.user_id, key_id=request.key_id)
    return make_mission_view(await request.workbench.store.transact(factory.insert, payer, body))


@api.get("/missions")
async def list_missions(
    request: Request,
    query: ListQuery,
    status: AnyOf[MissionStatus] | None = None,
) -> Page[MissionView]:
    """List your missions, the newest first.

    The tasks are not in the list; read a mission for its tasks.
    """
    rows = await request.workbench.store.read(
        read_merged_page,
        status,
        query.limit,
        query.span,
        lambda each: select_missions(request.user_id, each, query.limit, query.span),
    )
    return make_page(rows, query.limit, lambda mission: mission.id, make_mission_view)


@api.get("/missions/{mission_id}")
async def read_mission(request: Request, mission_id: RowId) -> MissionDetail:
    """Read a mission with its tasks.

    A completed mission names the note with its report.
    """
    return await request.workbench.store.read(_load_detail, request.user_id, mission_id)


@api.post("/missions/{mission_id}/run", narrowable=False, status=202)
async def run_mission(request: Request, mission_id: RowId) -> MissionView:
    """Start a mission that was created with `start: false`.

    The status is 409 if the mission has started already.
    """
    return await _resume_after(request, mission_id, start_mission)


@api.post(
    "/missions/{mission_id}/retry",
    narrowable=False,
    status=202,
    operation="retry_mission",
    example={"max_tokens": 20000},
)
async def retry(request: Request, mission_id: RowId, body: Retry | None = None) -> MissionView:
    """Continue a failed or cancelled mission; completed tasks stay completed.

    The status is 409 while the mission runs, or if it has completed.
    """
    max_tokens = None if body is None else body.max_tokens
    return await _resume_after(request, mission_id, partial(retry_mission, max_tokens=max_tokens))


@api.post("/missions/{mission_id}/cancel", status=200, operation="cancel_mission")
async def cancel(request: Request, mission_id: RowId) -> MissionView:
    """Cancel a mission; completed tasks stay completed.

    The status is 409 if the mission has ended.
    """
    workbench = request.workbench
    mission = await workbench.store.write(
        cancel_mission, request.user_id, workbench.clock.now(), mission_id
    )
    # After the write: the runner must not record a failure for the cancelled mission.
    workbench.get(MISSION_RUNNER).stop(mission_id)
    return make_mission_view(mission)


async def _resume_after(
    request: Request,
    mission_id: int,
    change: Callable[[int, datetime, int], Mission],
) -> MissionView:
    workbench = request.workbench
    mission = await workbench.store.write(
        change, request.user_id, workbench.clock.now(), mission_id
    )
    workbench.get(MISSION_RUNNER).resume(mission_id)
    return make_mission_view(mission)


def _load_detail(user_id: int, mission_id: int) -> MissionDetail:
    mission, tasks = load_owned_mission(user_id, mission_id)
    return make_mission_detail(mission, tasks, sum_mission_cost(mission_id))
