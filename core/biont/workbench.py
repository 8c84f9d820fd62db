"""Workbench: the parts of a running system that plugins may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from biont.accounts.api_keys import ApiKeys
from biont.accounts.users import Users
from biont.clock import Clock
from biont.egress.session import EgressSession
from biont.events.system import EventSystem
from biont.exceptions import PluginError
from biont.operations.operations import Operations
from biont.runtime.background_tasks import BackgroundTasks
from biont.runtime.health import Health
from biont.runtime.shutdown import Shutdown
from biont.scheduler.scheduler import Scheduler
from biont.security.vault import Vault
from biont.services import Service, Services
from biont.settings.sections import Settings
from biont.store.store import Store

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class Workbench:
    """The parts that are handed to each handler, route, job and `lifespan` of a plugin.

    Attributes:
        settings: the operator's settings.
        sections: the validated settings of each plugin, by the plugin's name.
        clock: tells the time to every part.
        store: reads and writes the database.
        vault: encrypts secrets before they are stored.
        users: the users of this workbench.
        keys: the API keys of all users.
        events: the event system.
        scheduler: turns due schedules into runs.
        operations: works off acts on many rows in the background.
        egress: sends HTTP requests to addresses that users may name.
        background_tasks: runs periodic tasks.
        health: collects the problems of all parts.
        shutdown: says whether and how soon everything has to end.
        services: the objects that plugins offer to one another.
    """

    settings: Settings
    sections: Mapping[str, BaseModel]
    clock: Clock
    store: Store
    vault: Vault
    users: Users
    keys: ApiKeys
    events: EventSystem
    scheduler: Scheduler
    operations: Operations
    egress: EgressSession
    background_tasks: BackgroundTasks
    health: Health
    shutdown: Shutdown
    services: Services

    def provide(self, service: Service[T], value: T) -> None:
        """Offer an object to other plugins, from within a `lifespan`.

        Raises:
            PluginError: another plugin offers this service already.
        """
        self.services.provide(service, value)

    def get(self, service: Service[T]) -> T:
        """Return the object that another plugin offers.

        Raises:
            PluginError: no plugin offers the service; the message names its provider.
        """
        return self.services.get(service)

    def plugin_settings(self, name: str, model: type[M]) -> M:
        """Return the section of the plugin `name`, as its `register_settings` declared it.

        Raises:
            PluginError: the plugin declared no section, or another model.
        """
        section = self.sections.get(name)
        if not isinstance(section, model):
            raise PluginError(f"the plugin {name!r} has not registered {model.__name__}")
        return section

    async def find_time_zone(self, user_id: int) -> str:
        """Return the IANA name of the time zone for a user's schedules that name none."""
        user = await self.users.get(user_id)
        return user.time_zone or self.settings.scheduler.time_zone
