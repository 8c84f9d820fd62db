"""Settings of the core: each key with its default, limits and meaning."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Literal, TextIO, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
)

from biont.egress.policy import EgressPolicy
from biont.egress.tls import make_tls_context
from biont.exceptions import SettingsError
from biont.settings.documents import KeyPath
from biont.settings.key_section import KeySettings
from biont.settings.limits_section import LimitSettings
from biont.settings.section import Seconds, Section
from biont.settings.server_section import ServerSettings
from biont.settings.sources import Sources
from biont.time_zones import TimeZone

M = TypeVar("M", bound=BaseModel)

Pause = Annotated[float, Field(ge=0)]
KeepDays = Annotated[int, Field(ge=0, le=100_000)]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]

_SQLITE = "sqlite:///"


class LogSettings(Section):
    """Settings of the log on standard error."""

    level: LogLevel | dict[str, LogLevel] = Field(
        "info",
        description="Lowest level that is written, or the lowest level of each logger by name; "
        "a name stands for all loggers below, `default` for all others.",
    )
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="JSON lines, or coloured text; auto means text on a terminal only."
    )

    @property
    def levels(self) -> dict[str, str]:
        """The lowest level of each named logger, and of all others as `default`."""
        if isinstance(self.level, str):
            return {"default": self.level}
        return {"default": "info", **self.level}

    def has_colour(self, stream: TextIO) -> bool:
        """Return whether records to `stream` are coloured text."""
        return self.format == "console" or (self.format == "auto" and stream.isatty())


class DatabaseSettings(Section):
    """Settings of the database."""

    url: str = Field(
        "sqlite:///data/biont.sqlite3",
        description="sqlite:/// and a path relative to the working directory; "
        "an absolute path begins with a fourth slash.",
    )
    readers: int = Field(2, ge=1, le=64, description="Threads that read the database.")
    busy_timeout: Pause = Field(
        5.0, description="Seconds that a statement waits for the lock of another process."
    )
    upgrade_backups: int = Field(
        2,
        ge=0,
        le=100,
        description="Backups to keep of those that a start makes before it migrates an older "
        "database; 0 makes none.",
    )
    backup_folder: Path | None = Field(
        None,
        description="Folder of the backups that administrators make by the API or the dashboard; "
        "by default `backups` beside the database.",
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        if not url.startswith(_SQLITE):
            raise ValueError("only sqlite:/// and a path is supported")
        # Each thread opens a connection of its own, and would get a memory database of its own.
        if url.removeprefix(_SQLITE) in {"", ":memory:"}:
            raise ValueError("must name a file; write sqlite:/// and a path")
        return url

    @property
    def path(self) -> Path:
        """The path of the database file."""
        return Path(self.url.removeprefix(_SQLITE))

    @property
    def backups(self) -> Path:
        """The folder of the backups that administrators make."""
        return self.backup_folder or self.path.parent / "backups"


class VaultSettings(Section):
    """Settings of the vault."""

    key_file: Path = Field(
        Path("data/biont.key"),
        description="File with a Fernet key in each line; the first encrypts, all decrypt. "
        "Created at the first start.",
    )


class EventSettings(Section):
    """Settings of the event system."""

    lane_size: int = Field(
        1000,
        ge=1,
        description="Events in the queue of each handler, or twice the handler's batch, if "
        "larger.",
    )
    max_hops: int = Field(
        8, ge=1, description="Largest number of hops in a chain of events that cause events."
    )
    handler_timeout: Seconds = Field(
        30.0, description="Seconds that a call of a handler may take."
    )
    handler_retry: tuple[Pause, ...] = Field(
        (1.0, 5.0, 30.0),
        description="Seconds before each retry of a failed handler; after the last retry the "
        "event becomes a dead letter.",
    )
    crash_limit: int = Field(
        3,
        ge=1,
        description="Number of process crashes during a handler's work on an event after which "
        "the event becomes a dead letter.",
    )
    keep_days: KeepDays = Field(
        90, description="Days for which a dead letter is kept; 0 for ever."
    )
    id_days: KeepDays = Field(
        30,
        description="Days for which an event that a client has named by an id is recognised; "
        "0 for ever.",
    )


class SchedulerSettings(Section):
    """Settings of the scheduler."""

    poll_interval: Seconds = Field(
        60.0, description="Longest time between two searches for due schedules, in seconds."
    )
    concurrency: int = Field(4, ge=1, description="Largest number of runs at the same time.")
    catch_up_window: Pause = Field(
        3600.0,
        description="Age up to which a missed occurrence still runs, in seconds.",
    )
    late_after: Pause = Field(
        300.0,
        description="Age up to which an occurrence of a schedule without catch-up still runs, "
        "in seconds.",
    )
    run_timeout: Seconds = Field(300.0, description="Seconds that a run may take.")
    time_zone: TimeZone = Field(
        "UTC", description="IANA name of the time zone for schedules that name none."
    )
    keep_days: KeepDays = Field(
        365,
        description="Days for which the record of a run is kept; 0 for ever. The last "
        "successful run of each schedule stays.",
    )


class OperationSettings(Section):
    """Settings of operations, the acts on many rows."""

    keep_days: KeepDays = Field(
        90, description="Days for which the record of an operation is kept; 0 for ever."
    )


class EgressSettings(Section):
    """Settings for requests to URLs that users name."""

    allow: tuple[str, ...] = Field(
        (),
        description="Allowed addresses that are not public: cidr:port or name:port each.",
    )
    ca_file: Path | None = Field(
        None,
        description="PEM file with certificate authorities that are trusted besides the system's.",
    )

    @field_validator("allow")
    @classmethod
    def _check_allow(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        EgressPolicy(allow)
        return allow

    @field_validator("ca_file")
    @classmethod
    def _check_ca_file(cls, ca_file: Path | None) -> Path | None:
        make_tls_context(ca_file)
        return ca_file


class PluginSettings(Section):
    """Settings of the plugin manager; every other key is the section of a plugin."""

    model_config = ConfigDict(extra="ignore")

    disable: tuple[str, ...] = Field((), description="Names of plugins to leave out.")
    folder: Path | None = Field(None, description="Folder of plugins that are single files.")
    start_timeout: Seconds = Field(
        30.0,
        description="Seconds that each step of a plugin's start may take; a slower plugin goes "
        "into quarantine.",
    )


class Settings(Section):
    """All settings of the operator, returned by `biont.settings.load_settings`."""

    server: ServerSettings = ServerSettings()
    log: LogSettings = LogSettings()
    database: DatabaseSettings = DatabaseSettings()
    vault: VaultSettings = VaultSettings()
    events: EventSettings = EventSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    operations: OperationSettings = OperationSettings()
    keys: KeySettings = KeySettings()
    egress: EgressSettings = EgressSettings()
    limits: LimitSettings = LimitSettings()
    plugins: PluginSettings = PluginSettings()

    _sources: Sources = PrivateAttr(default_factory=Sources)

    @classmethod
    def from_sources(cls, sources: Sources) -> Settings:
        """Return the validated settings of the core; `read_sections` validates plugins'.

        Raises:
            SettingsError: the sources are invalid; the error has all problems.
        """
        problems = list(sources.document.problems)
        try:
            settings = sources.load(cls)
        except SettingsError as error:
            problems += error.problems
        if problems:
            raise SettingsError(problems)
        settings._sources = sources  # noqa: SLF001 - of this class
        return settings

    def locate(self, path: KeyPath) -> str:
        """Return the place of the value at `path`, or of the section that lacks the value."""
        return self._sources.locate(path)

    def find_place(self, path: KeyPath) -> str | None:
        """Return the file and line, or the variable, that sets `path`; None for a default."""
        return self._sources.find_place(path)

    def read_section(self, name: str, model: type[M]) -> M:
        """Return the validated section of the plugin `name`.

        Raises:
            SettingsError: the section is invalid; the error has all problems.
        """
        return self._sources.load(model, ("plugins", name))

    def read_sections(
        self, models: Mapping[str, type[BaseModel]], *, absent: Collection[str] = ()
    ) -> dict[str, BaseModel]:
        """Return the validated sections of all plugins, by the plugin's name.

        Args:
            models: the model of each plugin with settings, by the plugin's name.
            absent: the names of plugins that are not loaded, whose sections are not validated.

        Raises:
            SettingsError: a section is invalid, or belongs to no plugin; the error has all
                problems.
        """
        known = {*PluginSettings.model_fields, *models, *absent}
        problems = self._sources.find_unknown_keys(("plugins",), known)
        sections = {}
        for name, model in models.items():
            try:
                sections[name] = self._sources.load(model, ("plugins", name))
            except SettingsError as error:
                problems += error.problems
        if problems:
            raise SettingsError(problems)
        return sections
