"""Runtime: event-loop watchdog, background tasks, interpreter tuning and logging."""
