"""Missions: a goal, the tasks that lead to the goal, and the AI that carries out the tasks."""

from biont_missions.mission_factory import MISSIONS, MissionFactory
from biont_missions.plans import PlannedTask
from biont_missions.tables import Mission, MissionStatus, Task, TaskStatus

__all__ = [
    "MISSIONS",
    "Mission",
    "MissionFactory",
    "MissionStatus",
    "PlannedTask",
    "Task",
    "TaskStatus",
]
