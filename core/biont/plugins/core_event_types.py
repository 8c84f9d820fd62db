"""Event types of the core."""

from __future__ import annotations

from biont.accounts.event_types import ACCOUNT_EVENT_TYPES
from biont.operations.event_types import OPERATION_FINISHED
from biont.scheduler.event_types import SCHEDULED_TRIGGER

CORE_EVENT_TYPES = (SCHEDULED_TRIGGER, OPERATION_FINISHED, *ACCOUNT_EVENT_TYPES)
