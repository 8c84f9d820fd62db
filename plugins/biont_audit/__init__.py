"""Audit log: the permanent record of all events."""

from biont_audit.log import EVENT_LOG, EventLog
from biont_audit.queries import count_events

__all__ = ["EVENT_LOG", "EventLog", "count_events"]
