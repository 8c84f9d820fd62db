"""The core's settings: each key with its default, its limits and what it decides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from biont.egress.policy import EgressPolicy
from biont.exceptions import SettingsError
from biont.settings.documents import KeyPath
from biont.settings.sources import Sources
from biont.time_zones import TimeZone

M = TypeVar("M", bound=BaseModel)

Seconds = Annotated[float, Field(gt=0)]
Pause = Annotated[float, Field(ge=0)]

_SQLITE = "sqlite:///"


class Section(BaseModel):
    """A part of the settings; a plugin's own may inherit from it.

    It refuses keys that it does not know and does not change once it is read. A section
    of which every key is left out may be left empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _read_empty_section(cls, value: object) -> object:
        return {} if value is None else value


class ServerSettings(Section):
    """Where and how HTTP is served."""

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 is any free one.")
    shutdown_timeout: Seconds = Field(
        10.0,
        description="How long stopping may take before what still runs is cancelled, in seconds.",
    )
    stall_limit: Seconds = Field(
        1.0,
        description="How long one piece of code may keep the event loop to itself before it is "
        "reported, in seconds.",
    )
    body_limit: int = Field(
        1024 * 1024, gt=0, description="Largest request body, in bytes; more is answered 413."
    )


class DatabaseSettings(Section):
    """Where everything is kept."""

    url: str = Field(
        "sqlite:///data/biont.sqlite3",
        description="sqlite:/// and a path, relative to the working directory; "
        "an absolute one begins with a fourth slash.",
    )
    readers: int = Field(2, ge=1, le=64, description="Threads that read.")
    busy_timeout: Pause = Field(
        5.0, description="How long a statement waits for another process, in seconds."
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        if not url.startswith(_SQLITE):
            raise ValueError("only sqlite:/// and a path is supported for now")
        if url.removeprefix(_SQLITE) in {"", ":memory:"}:
            raise ValueError("has to name a file; write sqlite:/// and a path")
        return url

    @property
    def path(self) -> Path:
        """The database file, as the URL names it."""
        return Path(self.url.removeprefix(_SQLITE))


class VaultSettings(Section):
    """By which keys secrets are encrypted."""

    key_file: Path = Field(
        Path("data/biont.key"),
        description="File of Fernet keys, one a line; the first encrypts, all decrypt. Made at "
        "the first start.",
    )


class EventSettings(Section):
    """How events reach their handlers."""

    lane_size: int = Field(1000, ge=1, description="Events held in memory for each handler.")
    max_hops: int = Field(
        8, ge=1, description="How long a chain of events that cause events may get."
    )
    handler_timeout: Seconds = Field(
        30.0, description="How long one call of a handler may take, in seconds."
    )
    handler_retry: tuple[Pause, ...] = Field(
        (1.0, 5.0, 30.0),
        description="Pauses before each new try of a handler that failed, in seconds; the event "
        "is a dead letter after the last.",
    )
    crash_limit: int = Field(
        3,
        ge=1,
        description="How often the process may die while a handler is at work on one event; then "
        "the event is a dead letter.",
    )


class SchedulerSettings(Section):
    """When schedules run."""

    poll_interval: Seconds = Field(
        60.0, description="Longest time between two looks for what is due, in seconds."
    )
    concurrency: int = Field(4, ge=1, description="Runs that go on at once.")
    catch_up_window: Pause = Field(
        3600.0,
        description="How old an instant that was missed may be and still be run, in seconds.",
    )
    late_after: Pause = Field(
        300.0,
        description="How far behind its instant a run of a schedule that catches nothing up may "
        "start, in seconds.",
    )
    run_timeout: Seconds = Field(300.0, description="How long a run may take, in seconds.")
    time_zone: TimeZone = Field(
        "UTC", description="Zone of schedules that name none, from the IANA database."
    )


class EgressSettings(Section):
    """Where requests to addresses that users name may go."""

    allow: tuple[str, ...] = Field(
        (),
        description="Exceptions for addresses that are not public, each cidr:port or name:port.",
    )

    @field_validator("allow")
    @classmethod
    def _check_allow(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        EgressPolicy(allow)
        return allow


class PluginSettings(Section):
    """Which plugins are loaded. Every other key is the section of the plugin of that name."""

    model_config = ConfigDict(extra="ignore")

    disable: tuple[str, ...] = Field((), description="Names of plugins that are left out.")
    folder: Path | None = Field(None, description="Folder of plugins that are single files.")


class Settings(Section):
    """All that the operator decides. `biont.settings.load_settings` makes it."""

    server: ServerSettings = ServerSettings()
    database: DatabaseSettings = DatabaseSettings()
    vault: VaultSettings = VaultSettings()
    events: EventSettings = EventSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    egress: EgressSettings = EgressSettings()
    plugins: PluginSettings = PluginSettings()

    _sources: Sources = PrivateAttr(default_factory=Sources)

    @classmethod
    def from_sources(cls, sources: Sources) -> Settings:
        """Check the core's sections; those of plugins wait for `read_sections`.

        Raises:
            SettingsError: the sources are faulty; all problems are named.
        """
        problems = list(sources.document.problems)
        try:
            settings = sources.load(cls)
        except SettingsError as error:
            problems += error.problems
        if problems:
            raise SettingsError(problems)
        settings._sources = sources  # noqa: SLF001 - its own
        return settings

    def locate(self, path: KeyPath) -> str:
        """Return where the value at `path`, or the section that lacks it, was written."""
        return self._sources.locate(path)

    def read_section(self, name: str, model: type[M]) -> M:
        """Check the section of one plugin and return it.

        Raises:
            SettingsError: it is not what the model asks for; all problems are named.
        """
        return self._sources.load(model, ("plugins", name))

    def read_sections(
        self, models: Mapping[str, type[BaseModel]], *, absent: Collection[str] = ()
    ) -> dict[str, BaseModel]:
        """Check the plugins' sections and return them by the plugins' names.

        Args:
            models: of each plugin that has settings, by its name.
            absent: plugins that have none, or are not loaded; a section of theirs is
                left alone.

        Raises:
            SettingsError: a section is wrong, or belongs to no plugin; all problems
                are named.
        """
        known = {*PluginSettings.model_fields, *models, *absent}
        problems = self._sources.find_strangers(("plugins",), known)
        sections = {}
        for name, model in models.items():
            try:
                sections[name] = self._sources.load(model, ("plugins", name))
            except SettingsError as error:
                problems += error.problems
        if problems:
            raise SettingsError(problems)
        return sections
