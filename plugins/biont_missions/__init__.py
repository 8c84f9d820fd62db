"""Missions: a goal, the tasks that lead to it, and the AI that carries them out."""

from biont_missions.tables import Mission, MissionStatus, Task, TaskStatus

__all__ = ["Mission", "MissionStatus", "Task", "TaskStatus"]
