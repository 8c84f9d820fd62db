"""Scheduling: schedules, timing, runs and job kinds.

The public namespace of `biont.scheduler`, with job kinds and cron expressions.
"""

from biont.lazy_names import load_lazily

__getattr__, __dir__ = load_lazily(__name__, __file__)
