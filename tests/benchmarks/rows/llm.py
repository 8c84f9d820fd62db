"""Chat: what a workbench adds to a model's answer, and what an open stream weighs."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from benchmarks.calls import make_headers
from benchmarks.child import Child
from benchmarks.measure import Result, alternate, repeat
from benchmarks.models import MODEL, AskStraight, AskWorkbench, HoldStreams, Model
from benchmarks.processes import Workbench, perform, serve, set_up

_THINKING = 0.05
_QUESTIONS = 40
_TOKENS = 20_000
_STREAMS = 200
_MEBIBYTE = 1024 * 1024
_MILLISECOND = 0.001


async def llm_first_token(folder: Path) -> Result:
    """Compare the time to a first token with that of the library `openai` alone."""
    ours, bare = await _ask_both(folder, Model(tokens=3, delay=_THINKING), _QUESTIONS)
    return Result(
        "ms",
        [first / _MILLISECOND for first, _ in ours],
        [first / _MILLISECOND for first, _ in bare],
    )


async def llm_token_rate(folder: Path) -> Result:
    """Compare the tokens a second of one stream with those of the library `openai` alone."""
    ours, bare = await _ask_both(folder, Model(tokens=_TOKENS), 3)
    return Result("tokens/s", [rate for _, rate in ours], [rate for _, rate in bare])


async def streams_memory(folder: Path) -> Result:
    """Weigh open streams: what they add to a workbench that has answered before."""
    async with serve(Model(hangs=True)) as model:
        workbench = await _set_up(folder, model.url)
        grown = await repeat(lambda: _weigh(workbench))
    return Result("MiB", grown, note=f"{_STREAMS} streams of which each has its first token")


async def _weigh(workbench: Workbench) -> float:
    async with workbench.serve() as server:
        headers = make_headers(workbench.key)
        async with serve(HoldStreams(server.url, headers, 1)):
            await server.settle()
        before = server.rss
        async with serve(HoldStreams(server.url, headers, _STREAMS)):
            await server.settle()
            return (server.rss - before) / _MEBIBYTE


async def _ask_both(
    folder: Path, model: Model, times: int
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    async with serve(model) as server:
        workbench = await _set_up(folder, server.url)
        async with workbench.serve() as ours:
            through_us = AskWorkbench(ours.url, make_headers(workbench.key), times)
            return await alternate(
                lambda: _ask(through_us), lambda: _ask(AskStraight(server.url, times))
            )


async def _ask(child: Child) -> tuple[float, float]:
    return cast("tuple[float, float]", await perform(child))


async def _set_up(folder: Path, url: str) -> Workbench:
    openai = {"base_url": f"{url}/v1", "model": MODEL}
    settings = {"backend": "openai", "concurrency": 2 * _STREAMS, "openai": openai}
    return await set_up(folder, plugins={"llm": settings})
