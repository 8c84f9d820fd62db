"""The audit log: every event, for good."""

from biont_audit.log import EVENT_LOG, EventLog

__all__ = ["EVENT_LOG", "EventLog"]
