"""Health of the workbench, as `GET /api/v1/health` reports it."""

from __future__ import annotations

from biont import HealthProblem, Workbench
from biont.testing import ApiClient


async def test_a_problem_of_any_part_degrades_the_health_until_it_ends(
    workbench: Workbench, client: ApiClient
) -> None:
    problems = [HealthProblem("search", "the index is being rebuilt")]
    workbench.health.add_check(lambda: problems)
    answer = await client.get("/health")
    assert answer["status"] == "degraded"
    assert answer["problems"] == [{"part": "search", "reason": "the index is being rebuilt"}]
    problems.clear()
    answer = await client.get("/health")
    assert (answer["status"], answer["problems"]) == ("ok", [])


async def test_a_fatal_problem_makes_the_health_a_503_that_names_it(
    workbench: Workbench, client: ApiClient
) -> None:
    workbench.health.add_check(lambda: [HealthProblem("disk", "it is gone", is_fatal=True)])
    status, answer = await client.ask("GET", "/health")
    assert status == 503
    assert "disk: it is gone" in str(answer["detail"])
