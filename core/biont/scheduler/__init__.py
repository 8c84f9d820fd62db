"""Scheduler: turns due occurrences of schedules into runs."""
