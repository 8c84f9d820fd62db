# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``missions``: goals that a language model pursues in steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack

from biont.client.api.shared_models import Sort, TaskView
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.pages import Pages


class MissionDetail(TypedDict):
    """A mission with its tasks.

    Attributes:
        tokens: Tokens used so far.
        note_id: The note with the report.
        origin: Event by which text of another system came in that the mission has read; null
            for none.
        cost: Cost of the calls of models so far, by the prices in the settings; null if no
            recorded call has a price.
    """

    id: int
    goal: str
    status: MissionStatus
    model: str | None
    tools: list[str]
    max_tokens: int
    tokens: int
    max_reviews: int
    reviews: int
    error: str | None
    note_id: int | None
    origin: str | None
    created_at: str
    updated_at: str
    ended_at: str | None
    tasks: list[TaskView]
    cost: float | None


MissionStatus: TypeAlias = Literal[
    "draft",
    "planning",
    "working",
    "reviewing",
    "reporting",
    "completed",
    "failed",
    "cancelled",
]
"""State of a mission; see `biont_missions.runner`."""


class MissionView(TypedDict):
    """A mission.

    Attributes:
        tokens: Tokens used so far.
        note_id: The note with the report.
        origin: Event by which text of another system came in that the mission has read; null
            for none.
    """

    id: int
    goal: str
    status: MissionStatus
    model: str | None
    tools: list[str]
    max_tokens: int
    tokens: int
    max_reviews: int
    reviews: int
    error: str | None
    note_id: int | None
    origin: str | None
    created_at: str
    updated_at: str
    ended_at: str | None


class NewMission(TypedDict):
    """A mission to create: the goal, the tasks and the limits.

    Attributes:
        steps: The tasks; the model plans the tasks if none are given.
        tools: Tools that the tasks may call; null for the setting, `[]` for no tools.
        model: The model; null for the default.
        max_tokens: Token budget; null for the setting.
        reviews: Largest number of reviews; null for the setting.
        start: Start at once; false creates a draft for `run`. By default `true`.
    """

    goal: str
    steps: NotRequired[Sequence[PlannedTask]]
    tools: NotRequired[Sequence[str] | None]
    model: NotRequired[str | None]
    max_tokens: NotRequired[int | None]
    reviews: NotRequired[int | None]
    start: NotRequired[bool]


class PlannedTask(TypedDict):
    """One task of a plan.

    Attributes:
        depends_on: Numbers of the earlier tasks whose results are needed.
    """

    title: str
    instructions: NotRequired[str]
    depends_on: NotRequired[Sequence[int]]


class Retry(TypedDict):
    """Options of a retry.

    Attributes:
        max_tokens: New token budget, tokens used so far included; null keeps the budget.
    """

    max_tokens: NotRequired[int | None]


class Missions(OperationGroup):
    """Goals that a language model pursues in steps."""

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewMission],
    ) -> MissionView:
        """Create a mission: the AI plans tasks for a goal, runs them, reviews and reports.

        The answer comes at once, and the mission runs in the background. With `start: false` it
        waits
        for a run. The events `mission_completed` and `mission_failed` tell the end.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            MissionView,
            make_call(
                "POST",
                "/api/v1/missions",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        status: Sequence[MissionStatus] | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[MissionView]:
        """List your missions, the newest first.

        The tasks are not in the list; read a mission for its tasks.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            MissionView,
            make_call(
                "GET",
                "/api/v1/missions",
                query={
                    "status": status,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def read(
        self,
        mission_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> MissionDetail:
        """Read a mission with its tasks.

        A completed mission names the note with its report.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            MissionDetail,
            make_call(
                "GET",
                "/api/v1/missions/{}",
                (mission_id,),
                query={"fields": fields},
            ),
        )

    def run(
        self,
        mission_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> MissionView:
        """Start a mission that was created with `start: false`.

        The status is 409 if the mission has started already.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            MissionView,
            make_call(
                "POST",
                "/api/v1/missions/{}/run",
                (mission_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def retry(
        self,
        mission_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[Retry],
    ) -> MissionView:
        """Continue a failed or cancelled mission; completed tasks stay completed.

        The status is 409 while the mission runs, or if it has completed.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            MissionView,
            make_call(
                "POST",
                "/api/v1/missions/{}/retry",
                (mission_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    def cancel(
        self,
        mission_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> MissionView:
        """Cancel a mission; completed tasks stay completed.

        The status is 409 if the mission has ended.

        Needs an API key of scope `full`.
        """
        return self._read(
            MissionView,
            make_call(
                "POST",
                "/api/v1/missions/{}/cancel",
                (mission_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )


class AsyncMissions(AsyncOperationGroup):
    """Goals that a language model pursues in steps."""

    async def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewMission],
    ) -> MissionView:
        """Create a mission: the AI plans tasks for a goal, runs them, reviews and reports.

        The answer comes at once, and the mission runs in the background. With `start: false` it
        waits
        for a run. The events `mission_completed` and `mission_failed` tell the end.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            MissionView,
            make_call(
                "POST",
                "/api/v1/missions",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        status: Sequence[MissionStatus] | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[MissionView]:
        """List your missions, the newest first.

        The tasks are not in the list; read a mission for its tasks.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            MissionView,
            make_call(
                "GET",
                "/api/v1/missions",
                query={
                    "status": status,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def read(
        self,
        mission_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> MissionDetail:
        """Read a mission with its tasks.

        A completed mission names the note with its report.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            MissionDetail,
            make_call(
                "GET",
                "/api/v1/missions/{}",
                (mission_id,),
                query={"fields": fields},
            ),
        )

    async def run(
        self,
        mission_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> MissionView:
        """Start a mission that was created with `start: false`.

        The status is 409 if the mission has started already.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            MissionView,
            make_call(
                "POST",
                "/api/v1/missions/{}/run",
                (mission_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def retry(
        self,
        mission_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[Retry],
    ) -> MissionView:
        """Continue a failed or cancelled mission; completed tasks stay completed.

        The status is 409 while the mission runs, or if it has completed.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            MissionView,
            make_call(
                "POST",
                "/api/v1/missions/{}/retry",
                (mission_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    async def cancel(
        self,
        mission_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> MissionView:
        """Cancel a mission; completed tasks stay completed.

        The status is 409 if the mission has ended.

        Needs an API key of scope `full`.
        """
        return await self._read(
            MissionView,
            make_call(
                "POST",
                "/api/v1/missions/{}/cancel",
                (mission_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )
