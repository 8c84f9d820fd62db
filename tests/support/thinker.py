"""A model that plans, works, reviews and reports, as it is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from biont.testing import Reply, say


@dataclass
class Thinker:
    """Answers missions; set as the `default` of a `ScriptedServer`.

    Attributes:
        plan: the titles of the tasks, and what each depends on.
        missing: what each review finds missing, one after the other; then all is done.
        replies: how it answers tasks of these titles, instead of by their results.
        asked: how often it was asked what; a task by its title.
        keeps_notes: whether it keeps a note of each task's title before it answers.
        hold: while it is not set, tasks are not answered.
        most: how many tasks were under way at once.
    """

    plan: list[tuple[str, list[int]]] = field(default_factory=lambda: [("One", []), ("Two", [1])])
    missing: list[list[str]] = field(default_factory=list)
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    keeps_notes: bool = False
    hold: asyncio.Event | None = None
    most: int = 0
    _busy: int = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer a question."""
        messages = orjson.loads(await request.read())["messages"]
        system = messages[0]["content"]
        if system.startswith("You plan"):
            return await self._count("plan", request, say(orjson.dumps(self._plan()).decode()))
        if system.startswith("You review"):
            return await self._count("review", request, say(orjson.dumps(self._review()).decode()))
        if system.startswith("You write"):
            return await self._count("report", request, say("All is well."))
        title = messages[1]["content"].split("Your task: ")[1].split("\n")[0]
        if self.keeps_notes and messages[-1]["role"] != "tool":
            call = ("create_note", orjson.dumps({"title": title}).decode())
            return await say(calls=[call])(request)
        return await self._work(request, title)

    async def _work(self, request: web.Request, title: str) -> web.StreamResponse:
        self._busy += 1
        self.most = max(self.most, self._busy)
        try:
            if self.hold is not None:
                await self.hold.wait()
            special = self.replies.get(title)
            reply = special.pop(0) if special else say(f"Result of {title}.")
            return await self._count(title, request, reply)
        finally:
            self._busy -= 1

    async def _count(self, what: str, request: web.Request, reply: Reply) -> web.StreamResponse:
        self.asked[what] += 1
        return await reply(request)

    def _plan(self) -> dict[str, object]:
        return {"tasks": [{"title": title, "depends_on": on} for title, on in self.plan]}

    def _review(self) -> dict[str, object]:
        missing = self.missing.pop(0) if self.missing else None
        if missing is None:
            return {"done": True}
        tasks = [{"title": title} for title in missing]
        return {"done": False, "reason": "something is missing", "missing": tasks}
