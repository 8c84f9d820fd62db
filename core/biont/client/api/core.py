# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``core``: health, documents and your user."""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack

from biont.client.api.shared_models import KeyView, Role
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.json_types import JsonValue


class BackupList(TypedDict):
    """All backups in the folder of backups."""

    folder: str
    data: list[BackupView]


class BackupView(TypedDict):
    """A backup of the database.

    Attributes:
        name: The name of the file in the folder of backups.
    """

    name: str
    bytes: int
    made_at: str


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


class GrowthView(TypedDict):
    """Growth of the database.

    Attributes:
        sizes: The size of the file once an hour, for 30 days, the oldest first.
        tables: All tables, the largest first; empty until the first measurement has ended.
    """

    sizes: list[SizeView]
    tables: list[TableView]
    tables_measured_at: str | None


class HandlerList(TypedDict):
    """All event handlers."""

    data: list[LaggingHandler]


class HandlerState(TypedDict):
    """An event handler and its lag.

    Attributes:
        behind: Number of events after the last event that the handler has handled.
        waiting_since: The instant of the oldest of these events; null if none waits.
    """

    name: str
    behind: int
    waiting_since: str | None


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


class LaggingHandler(TypedDict):
    """An event handler with its plugin and its lag.

    Attributes:
        behind: Number of events after the last event that the handler has handled.
        waiting_since: The instant of the oldest of these events; null if none waits.
    """

    name: str
    behind: int
    waiting_since: str | None
    plugin: str


LogLevel: TypeAlias = Literal["debug", "info", "warning", "error", "critical"]
"""Level of a line of the log."""


class LogLineView(TypedDict):
    """A line of the log.

    Attributes:
        number: The place of the line in the log, since the start.
        request_id: The id of the request that the line belongs to.
        exception: The traceback of an error.
        fields: The other values of the line.
    """

    number: int
    at: str | None
    level: LogLevel
    logger: str | None
    message: str
    request_id: str | None
    exception: str | None
    fields: dict[str, JsonValue]


class LogView(TypedDict):
    """The last lines of the log."""

    data: list[LogLineView]


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


class NewBackup(TypedDict):
    """A backup that was just made.

    Attributes:
        name: The name of the file in the folder of backups.
        path: The path of the file on the machine of the workbench.
        seconds: The time that the backup has taken.
    """

    name: str
    bytes: int
    made_at: str
    path: str
    seconds: float


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


class SizeView(TypedDict):
    """Size of the database at an instant."""

    measured_at: str
    bytes: int


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


class TableView(TypedDict):
    """Share of a table in the database.

    Attributes:
        bytes: The size with all indexes; null if this SQLite has no `dbstat`.
    """

    name: str
    rows: int
    bytes: int | None


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

    def list_handlers(
        self,
        *,
        fields: str | None = None,
    ) -> HandlerList:
        """List the event handlers of all running plugins, those that are behind the longest first.

        For administrators. A handler that is behind for long is slow, or waits for another
        program.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            HandlerList,
            make_call("GET", "/api/v1/system/handlers", query={"fields": fields}),
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

    def read_growth(
        self,
        *,
        fields: str | None = None,
    ) -> GrowthView:
        """Get the sizes of the database in the last 30 days, and the share of each table now.

        For administrators. The tables are measured at most once an hour. A measurement reads
        the whole
        file; the answer comes after two seconds at the latest, with the tables as measured
        before.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            GrowthView,
            make_call("GET", "/api/v1/system/growth", query={"fields": fields}),
        )

    def read_log(
        self,
        *,
        level: LogLevel | None = None,
        limit: int | None = None,
        fields: str | None = None,
    ) -> LogView:
        """Read the last lines of the log at or above a level, the newest first.

        For administrators. Secrets are masked, as in the log itself. The last 200 lines of each
        level
        are kept, since the start; `log.level` decides which lines there are.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            LogView,
            make_call(
                "GET",
                "/api/v1/system/log",
                query={"level": level, "limit": limit, "fields": fields},
            ),
        )

    def list_backups(
        self,
        *,
        fields: str | None = None,
    ) -> BackupList:
        """List the backups in the folder `database.backup_folder`, the newest first.

        For administrators. Backups by `biont backup` to other places are not in the list.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            BackupList,
            make_call("GET", "/api/v1/system/backups", query={"fields": fields}),
        )

    def make_backup(
        self,
        *,
        idempotency_key: str | None = None,
    ) -> NewBackup:
        """Make a backup of the database now, in a new file of the folder `database.backup_folder`.

        For administrators. Writes go on meanwhile. The backup has the state of one moment and
        is
        checked; the answer comes when the file is complete. The status is 409 while another
        backup is
        made, and 503 if there is too little space. The key file of the vault is not in the
        backup.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return self._read(
            NewBackup,
            make_call(
                "POST",
                "/api/v1/system/backups",
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def read_backup(
        self,
        name: str,
        /,
        *,
        fields: str | None = None,
    ) -> BackupView:
        """Read a backup in the folder `database.backup_folder`: its size and its time.

        For administrators. The content stays on the machine of the workbench.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            BackupView,
            make_call(
                "GET",
                "/api/v1/system/backups/{}",
                (name,),
                query={"fields": fields},
            ),
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

    async def list_handlers(
        self,
        *,
        fields: str | None = None,
    ) -> HandlerList:
        """List the event handlers of all running plugins, those that are behind the longest first.

        For administrators. A handler that is behind for long is slow, or waits for another
        program.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            HandlerList,
            make_call("GET", "/api/v1/system/handlers", query={"fields": fields}),
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

    async def read_growth(
        self,
        *,
        fields: str | None = None,
    ) -> GrowthView:
        """Get the sizes of the database in the last 30 days, and the share of each table now.

        For administrators. The tables are measured at most once an hour. A measurement reads
        the whole
        file; the answer comes after two seconds at the latest, with the tables as measured
        before.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            GrowthView,
            make_call("GET", "/api/v1/system/growth", query={"fields": fields}),
        )

    async def read_log(
        self,
        *,
        level: LogLevel | None = None,
        limit: int | None = None,
        fields: str | None = None,
    ) -> LogView:
        """Read the last lines of the log at or above a level, the newest first.

        For administrators. Secrets are masked, as in the log itself. The last 200 lines of each
        level
        are kept, since the start; `log.level` decides which lines there are.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            LogView,
            make_call(
                "GET",
                "/api/v1/system/log",
                query={"level": level, "limit": limit, "fields": fields},
            ),
        )

    async def list_backups(
        self,
        *,
        fields: str | None = None,
    ) -> BackupList:
        """List the backups in the folder `database.backup_folder`, the newest first.

        For administrators. Backups by `biont backup` to other places are not in the list.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            BackupList,
            make_call("GET", "/api/v1/system/backups", query={"fields": fields}),
        )

    async def make_backup(
        self,
        *,
        idempotency_key: str | None = None,
    ) -> NewBackup:
        """Make a backup of the database now, in a new file of the folder `database.backup_folder`.

        For administrators. Writes go on meanwhile. The backup has the state of one moment and
        is
        checked; the answer comes when the file is complete. The status is 409 while another
        backup is
        made, and 503 if there is too little space. The key file of the vault is not in the
        backup.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return await self._read(
            NewBackup,
            make_call(
                "POST",
                "/api/v1/system/backups",
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def read_backup(
        self,
        name: str,
        /,
        *,
        fields: str | None = None,
    ) -> BackupView:
        """Read a backup in the folder `database.backup_folder`: its size and its time.

        For administrators. The content stays on the machine of the workbench.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            BackupView,
            make_call(
                "GET",
                "/api/v1/system/backups/{}",
                (name,),
                query={"fields": fields},
            ),
        )
