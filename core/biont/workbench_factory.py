"""Workbench factory: builds the parts of a workbench from the settings."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from biont.accounts.api_keys import ApiKeys
from biont.accounts.user_acts import has_user
from biont.accounts.users import Users
from biont.clock import Clock
from biont.egress.policy import EgressPolicy
from biont.egress.session import EgressSession
from biont.event import EventFactory
from biont.events.dead_letters import DeadLetters
from biont.events.system import EventSystem
from biont.operations.operations import Operations
from biont.runtime.background_tasks import BackgroundTasks
from biont.runtime.health import Health
from biont.runtime.shutdown import Shutdown
from biont.scheduler.scheduler import Scheduler
from biont.security.vault import Vault
from biont.services import Services
from biont.settings.sections import Settings
from biont.store.store import Store
from biont.workbench import Workbench


def make_workbench(
    settings: Settings, sections: Mapping[str, BaseModel], clock: Clock, factory: EventFactory
) -> Workbench:
    """Return the parts of a workbench, all of them closed.

    Args:
        settings: the operator's settings.
        sections: the validated settings of each plugin, by the plugin's name.
        clock: tells the time to every part.
        factory: makes the events.
    """
    store = Store(
        settings.database.path,
        factory,
        readers=settings.database.readers,
        busy_timeout=settings.database.busy_timeout,
    )
    health = Health()
    health.add_check(store.find_problems)
    scheduler = Scheduler(
        store,
        clock,
        poll_interval=settings.scheduler.poll_interval,
        concurrency=settings.scheduler.concurrency,
        catch_up_window=settings.scheduler.catch_up_window,
        late_after=settings.scheduler.late_after,
        run_timeout=settings.scheduler.run_timeout,
    )
    health.add_check(scheduler.find_problems)
    keys, users = ApiKeys(store, clock), Users(store, clock)
    users.on_change(keys.forget)
    users.on_switch(disabled=scheduler.hold_user, enabled=scheduler.release_user)
    operations = Operations(store, clock, users)
    users.on_switch(enabled=operations.release_user)
    return Workbench(
        settings=settings,
        sections=sections,
        clock=clock,
        store=store,
        vault=Vault(settings.vault.key_file),
        users=users,
        keys=keys,
        events=EventSystem(
            store,
            factory,
            DeadLetters(store, clock, has_user),
            lane_size=settings.events.lane_size,
            timeout=settings.events.handler_timeout,
            retry=settings.events.handler_retry,
            crash_limit=settings.events.crash_limit,
        ),
        scheduler=scheduler,
        operations=operations,
        egress=EgressSession(EgressPolicy(settings.egress.allow), ca_file=settings.egress.ca_file),
        background_tasks=BackgroundTasks(clock),
        health=health,
        shutdown=Shutdown(settings.server.shutdown_timeout),
        services=Services(),
    )
