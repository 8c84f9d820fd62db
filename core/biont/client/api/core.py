# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``core``: health, documents and your user."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict, Unpack

from biont.client.api.shared_models import KeyView, Role
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.json_types import JsonValue


class BudgetView(TypedDict):
    """A daily budget for calls of language models.

    Attributes:
        owner: All keys of the user together, or the key.
        used: The recorded usage of today, in UTC.
        left: The rest of today's budget, not below 0.
    """

    owner: Literal["user", "key"]
    unit: Literal["tokens", "cost"]
    limit: float
    used: float
    left: float
    resets_at: str


class HandlerState(TypedDict):
    """An event handler and its lag.

    Attributes:
        behind: Number of events after the last event that the handler has handled.
    """

    name: str
    behind: int


class HealthProblemView(TypedDict):
    """A reason why a part of the workbench does not work as it should."""

    part: str
    reason: str


class HealthView(TypedDict):
    """Health of the workbench and of its plugins.

    Attributes:
        plugins: The running plugins.
        quarantined: The plugins in quarantine, which are not used.
        reasons: The reason of each quarantine; empty without an API key of scope `full`.
        failing_tasks: Background tasks that have died, or whose latest run has failed.
        problems: The present problems of all parts.
        stalls: The latest times at which the event loop was blocked, newest first.
    """

    status: Literal["ok", "degraded"]
    version: str
    plugins: list[str]
    quarantined: list[str]
    reasons: dict[str, str]
    failing_tasks: list[TaskProblemView]
    problems: list[HealthProblemView]
    stalls: list[StallView]


class MeView(TypedDict):
    """The user and the key of a request, with their limits.

    Attributes:
        time_zone: The time zone of schedules that name none; null for the setting.
        rates: The limits for requests of the user.
        quotas: The limits for objects of the user.
        budgets: The daily budgets of the user and the key; empty without a budget.
    """

    id: int
    name: str
    role: Role
    time_zone: str | None
    created_at: str
    key: KeyView
    rates: list[RateView]
    quotas: list[QuotaView]
    budgets: list[BudgetView]


class PluginDetails(TypedDict):
    """A plugin, with all that it has registered.

    Attributes:
        state: `running`, `starting`, `disabled`, `quarantined` or `failing`.
        description: The summary, or the reason and the remedy of a problem.
    """

    name: str
    state: str
    description: str
    built_in: bool
    routes: list[str]
    event_types: list[str]
    tools: list[str]
    jobs: list[str]
    handlers: list[HandlerState]


class PluginList(TypedDict):
    """All plugins."""

    data: list[PluginDetails]


class QuotaView(TypedDict):
    """A limit of the objects of a user."""

    name: str
    limit: int
    used: int


class RateView(TypedDict):
    """A limit of requests in a time, for a user.

    Attributes:
        name: The name of the limit, as in the header `RateLimit-Policy`.
        seconds: The time, in seconds.
        left: The requests that are left now.
    """

    name: str
    limit: int
    seconds: int
    left: int


class SettingView(TypedDict):
    """A setting, with its value and the place that sets it.

    Attributes:
        value: The value as JSON, the names of entries with values that may be secret.
        place: The file and line, or the environment variable; null for the default.
    """

    key: str
    value: str
    place: str | None


class StallView(TypedDict):
    """A time during which the event loop was blocked.

    Attributes:
        culprit: The handler or route that blocked the event loop; null for other code.
    """

    at: str
    seconds: float
    culprit: str | None


class SystemView(TypedDict):
    """State of the process and its database.

    Attributes:
        database_bytes: Size of the database file.
        log_bytes: Size of the database's write-ahead log.
        free_bytes: Free space on the disk of the database.
        last_event: The number of the newest event.
    """

    version: str
    python: str
    sqlite: str
    started_at: str
    database_bytes: int
    log_bytes: int
    free_bytes: int
    last_event: int
    settings: list[SettingView]


class TaskProblemView(TypedDict):
    """A background task that has died, or whose latest run has failed.

    Attributes:
        error: The last error; null without an API key of scope `full`.
        since: The instant at which the task died, or first failed since its last success.
    """

    plugin: str
    task: str
    error: str | None
    since: str


class UserChange(TypedDict):
    """Fields of the user to change, as a JSON merge patch (RFC 7396).

    Attributes:
        time_zone: The time zone of new schedules that name none; null for the setting.
    """

    time_zone: NotRequired[str | None]


class UserView(TypedDict):
    """A user.

    Attributes:
        time_zone: The time zone of schedules that name none; null for the setting.
    """

    id: int
    name: str
    role: Role
    time_zone: str | None
    created_at: str


class Core(OperationGroup):
    """Health, documents and your user."""

    def read_health(
        self,
        *,
        fields: str | None = None,
    ) -> HealthView:
        """Report the health of the workbench and of its plugins.

        The status is 503 while a problem makes the whole workbench useless, for example a
        database
        file that was removed.

        Needs no API key.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            HealthView,
            make_call("GET", "/api/v1/health", query={"fields": fields}),
        )

    def read_openapi(
        self,
    ) -> dict[str, JsonValue]:
        """Return the OpenAPI 3.1 document of this API.

        Generators of clients and testing tools read this document. `/docs` shows it in a
        browser.

        Needs no API key.
        """
        return self._read(
            dict[str, JsonValue],
            make_call("GET", "/api/v1/openapi.json"),
        )

    def read_asyncapi(
        self,
    ) -> dict[str, JsonValue]:
        """Return the AsyncAPI 3.0 document of all outgoing events.

        Each event type is a channel, with the schema of its payload and the headers of a
        delivery.

        Needs no API key.
        """
        return self._read(
            dict[str, JsonValue],
            make_call("GET", "/api/v1/asyncapi.json"),
        )

    def read_me(
        self,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> MeView:
        """Read your own user, the key of this request, and what is left for both.

        A client learns here what its key may do, and when the key ends. With `X-User-ID`, the
        user is
        the other one, and the key is yours.

        Needs an API key of any scope.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            MeView,
            make_call(
                "GET",
                "/api/v1/me",
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def change_me(
        self,
        *,
        if_match: str | None = None,
        **body: Unpack[UserChange],
    ) -> UserView:
        """Change your time zone; existing schedules keep the old time zone.

        New schedules that name no time zone use your time zone.

        Needs an API key of scope `full`.
        """
        return self._read(
            UserView,
            make_call("PATCH", "/api/v1/me", headers={"If-Match": if_match}, body=body),
        )

    def list_plugins(
        self,
        *,
        fields: str | None = None,
    ) -> PluginList:
        """List all plugins with their states and all that they have registered.

        For administrators. `behind` of a handler is the number of events that wait for the
        handler.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            PluginList,
            make_call("GET", "/api/v1/plugins", query={"fields": fields}),
        )

    def read_system(
        self,
        *,
        fields: str | None = None,
    ) -> SystemView:
        """Get the state of the process, its database and its settings.

        For administrators. Secrets are masked.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            SystemView,
            make_call("GET", "/api/v1/system", query={"fields": fields}),
        )


class AsyncCore(AsyncOperationGroup):
    """Health, documents and your user."""

    async def read_health(
        self,
        *,
        fields: str | None = None,
    ) -> HealthView:
        """Report the health of the workbench and of its plugins.

        The status is 503 while a problem makes the whole workbench useless, for example a
        database
        file that was removed.

        Needs no API key.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            HealthView,
            make_call("GET", "/api/v1/health", query={"fields": fields}),
        )

    async def read_openapi(
        self,
    ) -> dict[str, JsonValue]:
        """Return the OpenAPI 3.1 document of this API.

        Generators of clients and testing tools read this document. `/docs` shows it in a
        browser.

        Needs no API key.
        """
        return await self._read(
            dict[str, JsonValue],
            make_call("GET", "/api/v1/openapi.json"),
        )

    async def read_asyncapi(
        self,
    ) -> dict[str, JsonValue]:
        """Return the AsyncAPI 3.0 document of all outgoing events.

        Each event type is a channel, with the schema of its payload and the headers of a
        delivery.

        Needs no API key.
        """
        return await self._read(
            dict[str, JsonValue],
            make_call("GET", "/api/v1/asyncapi.json"),
        )

    async def read_me(
        self,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> MeView:
        """Read your own user, the key of this request, and what is left for both.

        A client learns here what its key may do, and when the key ends. With `X-User-ID`, the
        user is
        the other one, and the key is yours.

        Needs an API key of any scope.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            MeView,
            make_call(
                "GET",
                "/api/v1/me",
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def change_me(
        self,
        *,
        if_match: str | None = None,
        **body: Unpack[UserChange],
    ) -> UserView:
        """Change your time zone; existing schedules keep the old time zone.

        New schedules that name no time zone use your time zone.

        Needs an API key of scope `full`.
        """
        return await self._read(
            UserView,
            make_call("PATCH", "/api/v1/me", headers={"If-Match": if_match}, body=body),
        )

    async def list_plugins(
        self,
        *,
        fields: str | None = None,
    ) -> PluginList:
        """List all plugins with their states and all that they have registered.

        For administrators. `behind` of a handler is the number of events that wait for the
        handler.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            PluginList,
            make_call("GET", "/api/v1/plugins", query={"fields": fields}),
        )

    async def read_system(
        self,
        *,
        fields: str | None = None,
    ) -> SystemView:
        """Get the state of the process, its database and its settings.

        For administrators. Secrets are masked.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            SystemView,
            make_call("GET", "/api/v1/system", query={"fields": fields}),
        )
