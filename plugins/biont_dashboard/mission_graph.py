"""Graph of a mission: its tasks as boxes, by the depth of what each depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from pydantic import JsonValue

from biont_dashboard.event_graph import GraphNode
from biont_dashboard.visit import Object

_COLUMN = 250
_ROW = 68
_TONES: Mapping[str, str] = MappingProxyType(
    {"pending": "off", "running": "run", "waiting": "wait", "completed": "ok", "failed": "fail"}
)


class TaskGraph(NamedTuple):
    """Boxes, and the arrows between them as pairs of indexes."""

    nodes: Sequence[GraphNode]
    edges: Sequence[tuple[int, int]]


def make_task_graph(tasks: Sequence[Object]) -> TaskGraph:
    """Return the graph of a mission's tasks, each right of the tasks that it needs."""
    indexes = {task["position"]: index for index, task in enumerate(tasks)}
    depths: list[int] = []
    edges: list[tuple[int, int]] = []
    nodes: list[GraphNode] = []
    heights: dict[int, int] = {}
    for index, task in enumerate(tasks):
        # A task can only need earlier ones, so their depths are known.
        needed = [
            indexes[place] for place in _list_needed(task) if indexes.get(place, index) < index
        ]
        depth = 1 + max((depths[each] for each in needed), default=-1)
        depths.append(depth)
        edges += [(each, index) for each in needed]
        row = heights.get(depth, 0)
        heights[depth] = row + 1
        nodes.append(_make_node(task, depth, row))
    return TaskGraph(nodes, edges)


def _make_node(task: Object, depth: int, row: int) -> GraphNode:
    status = str(task["status"])
    tokens = int(str(task["tokens"]))
    subtitle = f"{status}, {tokens:,} tokens" if tokens else status
    return GraphNode(
        depth * _COLUMN,
        row * _ROW,
        f"{task['position']}. {task['title']}",
        subtitle,
        _TONES.get(status, "off"),
        f"#task-{task['id']}",
    )


def _list_needed(task: Object) -> Sequence[JsonValue]:
    needed = task["depends_on"]
    return needed if isinstance(needed, list) else []
