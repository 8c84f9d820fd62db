"""Schedules: jobs that run when a cron expression falls due."""
