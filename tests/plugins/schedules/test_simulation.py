"""Command ``biont schedule simulate``."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from conftest import MakeKey, StartServer
from support.process import run_biont

from biont.testing import ApiClient, write_config

DECLARED: dict[str, object] = {
    "plugins": {
        "schedules": {
            "declared": {
                "nightly": {
                    "user": "ada",
                    "cron": "30 2 * * *",
                    "time_zone": "Europe/Berlin",
                    "prompt": "x",
                },
                "hourly": {"user": "ada", "every": "1h", "prompt": "x", "daily_budget": 20},
            }
        }
    }
}
DAYS = ("--from", "2026-03-28", "--to", "2026-03-29T23:59:59Z")


async def simulate(config: Path, *arguments: str) -> str:
    code, out, error = await run_biont("schedule", "simulate", *arguments, config=config)
    assert code == 0, error
    return out


async def test_every_occurrence_is_printed_and_counted(tmp_path: Path) -> None:
    config, file = write_config(tmp_path, {}), tmp_path / "schedules.yaml"
    file.write_text(yaml.safe_dump(DECLARED))
    lines = (await simulate(config, *DAYS, "--file", str(file))).splitlines()
    assert (
        "2026-03-29 03:00:00+0200 Europe/Berlin  2026-03-29T01:00:00Z  nightly  succeeded" in lines
    )
    assert lines[-4].split() == ["schedule", "instants", "succeeded", "skipped_budget"]
    assert [line.split() for line in lines[-3:]] == [
        ["hourly", "48", "40", "8"],
        ["nightly", "2", "2", "0"],
        ["all", "50", "42", "8"],
    ]
    summary = await simulate(config, *DAYS, "--file", str(file), "--summary")
    assert summary.splitlines() == lines[-4:]


async def test_json_has_the_same_runs_and_counts(tmp_path: Path) -> None:
    config = write_config(tmp_path, DECLARED)
    told = json.loads(await simulate(config, *DAYS, "--format", "json"))
    assert len(told["runs"]) == 50
    assert told["summary"]["nightly"] == {"succeeded": 2}
    assert {"nightly", "hourly"} == {run["schedule"] for run in told["runs"]}


async def test_schedules_in_the_database_are_simulated_and_not_changed(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    write_config(tmp_path, DECLARED)
    key = await make_key()
    server = await start_server(**DECLARED)
    async with ApiClient(server.url, key) as client:
        await client.post("/schedule", {"name": "Mine", "cron": "0 9 * * *", "prompt": "x"})
        before = await client.get("/schedule")
        down = ("--down", "2026-03-28T08:30", "2026-03-28T09:45")
        out = await simulate(tmp_path / "config", *DAYS, *down, "--summary", "--duration", "60")
        assert await client.get("/schedule") == before
    rows = {line.split("  ")[0]: line.split()[-4:] for line in out.splitlines()}
    assert set(rows) == {"schedule", "hourly", "nightly", "#3 Mine", "all"}
    assert "coalesced" not in out


async def test_an_end_before_the_begin_is_refused(tmp_path: Path) -> None:
    config = write_config(tmp_path, {})
    arguments = ("--from", "2026-03-28", "--to", "2026-03-27")
    code, _, error = await run_biont("schedule", "simulate", *arguments, config=config)
    assert code == 2
    assert "--to" in error
