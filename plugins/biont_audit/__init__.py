"""The audit log: every event, for good."""
