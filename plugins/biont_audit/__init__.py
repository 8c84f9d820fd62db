"""Audit log: the permanent record of all events."""

from biont_audit.log import EVENT_LOG, EventLog

__all__ = ["EVENT_LOG", "EventLog"]
