"""Pages of missions: the list, a new one, and one with the graph of its tasks."""

from __future__ import annotations

from aiohttp import web

from biont import Request, RowId
from biont_dashboard.dialect import make_api
from biont_dashboard.mission_graph import make_task_graph
from biont_dashboard.model_choice import list_model_choices
from biont_dashboard.page import open_page
from biont_dashboard.query_texts import QueryText, read_filtered
from biont_dashboard.tool_calls import show_arguments
from biont_dashboard.visit import list_objects

_MISSIONS = "/api/v1/missions"

api = make_api()


@api.get("/dashboard/missions")
async def show_missions(request: Request, status: QueryText = "") -> web.Response:
    """Show the missions, the newest first."""
    page = await open_page(request, plugin="missions")
    listing, problem = await read_filtered(page, _MISSIONS, status=status or None, limit=30)
    return await page.render(
        "missions/list.html",
        panels_of="missions",
        status=422 if problem else 200,
        filter_problem=problem,
        listing=listing,
        chosen=status,
    )


@api.get("/dashboard/missions/new")
async def show_new_mission(request: Request) -> web.Response:
    """Show the form of a new mission."""
    page = await open_page(request, plugin="missions")
    return await page.render(
        "missions/new.html",
        models=await list_model_choices(page),
        tools=await page.read_rows("/api/v1/tools"),
    )


@api.get("/dashboard/missions/{mission_id}")
async def show_mission(request: Request, mission_id: RowId) -> web.Response:
    """Show a mission: the tasks as a graph and as a list, and the calls that wait."""
    page = await open_page(request, plugin="missions")
    mission = await page.read(f"{_MISSIONS}/{mission_id}")
    tasks = list_objects(mission, "tasks")
    sources = {f"task-{task['id']}" for task in tasks if task["status"] == "waiting"}
    calls = []
    if sources:
        waiting = await page.read_rows("/api/v1/tool-calls", status="waiting", limit=100)
        calls = [call for call in waiting if call["source"] in sources]
    return await page.render(
        "missions/one.html",
        panels_of="mission",
        mission=mission,
        tasks=tasks,
        graph=make_task_graph(tasks),
        calls=[show_arguments(call) for call in calls],
        done=sum(task["status"] == "completed" for task in tasks),
    )
