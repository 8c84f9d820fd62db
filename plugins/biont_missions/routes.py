"""The routes of missions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from biont import Api, Page, Request, RowId
from biont.http import Cursor, Limit, decode_cursor, make_page
from biont.llm import LlmCall
from biont_missions.mission_factory import MissionFactory
from biont_missions.missions import (
    cancel_mission,
    get_mission,
    retry_mission,
    select_missions,
    start_mission,
)
from biont_missions.runner import MISSIONS
from biont_missions.tables import Mission, MissionStatus
from biont_missions.views import (
    MissionDetail,
    MissionView,
    NewMission,
    Retry,
    show_mission,
    show_with_tasks,
)

api = Api("missions")


@api.post("/missions")
async def create(request: Request, body: NewMission) -> MissionView:
    """Set a goal; the AI plans tasks, carries them out, reviews and reports."""
    maker = MissionFactory(request.workbench)
    maker.check(body)
    payer = LlmCall(user_id=request.user_id, key_id=request.key_id)
    return show_mission(await request.workbench.store.transact(maker.make, payer, body))


@api.get("/missions")
async def list_missions(
    request: Request,
    status: MissionStatus | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[MissionView]:
    """List your missions, the newest first."""
    rows = await request.workbench.store.read(
        select_missions, request.user_id, status, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda mission: mission.id, show_mission)


@api.get("/missions/{mission_id}")
async def read_mission(request: Request, mission_id: RowId) -> MissionDetail:
    """Read a mission with its tasks."""
    return show_with_tasks(
        *await request.workbench.store.read(get_mission, request.user_id, mission_id)
    )


@api.post("/missions/{mission_id}/run", status=202)
async def run(request: Request, mission_id: RowId) -> MissionView:
    """Let a mission begin that was created with `start: false`."""
    return await _go_on(request, mission_id, start_mission)


@api.post("/missions/{mission_id}/retry", status=202)
async def retry(request: Request, mission_id: RowId, body: Retry | None = None) -> MissionView:
    """Let a mission that failed or was cancelled go on; what was completed stays so."""
    max_tokens = None if body is None else body.max_tokens
    return await _go_on(request, mission_id, partial(retry_mission, max_tokens=max_tokens))


@api.post("/missions/{mission_id}/cancel", status=200)
async def cancel(request: Request, mission_id: RowId) -> MissionView:
    """End a mission; what was completed stays so."""
    workbench = request.workbench
    mission = await workbench.store.write(
        cancel_mission, request.user_id, workbench.clock.now(), mission_id
    )
    workbench.get(MISSIONS).stop(mission_id)
    return show_mission(mission)


async def _go_on(
    request: Request,
    mission_id: int,
    function: Callable[[int, datetime, int], Mission],
) -> MissionView:
    workbench = request.workbench
    mission = await workbench.store.write(
        function, request.user_id, workbench.clock.now(), mission_id
    )
    workbench.get(MISSIONS).go_on(mission_id)
    return show_mission(mission)
