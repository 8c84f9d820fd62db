"""Graph of causes: the events of one correlation id, placed for a drawing.

Each event stands to the right of the event that caused it. A subtree has rows of its own, so no
line crosses another. Events whose cause is not among the events are roots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from biont_dashboard.object_links import ObjectLink, list_links
from biont_dashboard.visit import Object

_WIDTH = 248
_HEIGHT = 68
LARGEST_DRAWING = 80
"""The most events that are drawn; the list shows all."""


@dataclass(frozen=True, slots=True)
class GraphNode:
    """Box of the drawing, as the macro `graph` takes it."""

    x: int
    y: int
    title: str
    subtitle: str
    tone: str
    href: str


@dataclass(frozen=True, slots=True)
class GraphDelivery:
    """Delivery of an event, as a box behind the event.

    Attributes:
        title: the name of the webhook.
        state: the state of the delivery.
        href: the page of the delivery.
    """

    title: str
    state: str
    href: str


@dataclass(slots=True)
class CauseTree:
    """Event with the events that it caused.

    Attributes:
        event: the event.
        links: the pages of the objects that the payload names.
        children: the events that the event caused, the oldest first.
    """

    event: Object
    links: Sequence[ObjectLink]
    children: list[CauseTree] = field(default_factory=list)


def make_trees(events: Iterable[Object]) -> Sequence[CauseTree]:
    """Return the trees of events; `events` begin with the oldest."""
    trees = {str(event["id"]): CauseTree(event, list_links(event)) for event in events}
    roots: list[CauseTree] = []
    for tree in trees.values():
        cause = trees.get(str(tree.event["causation_id"]))
        # An event cannot cause itself; a broken log must not end in a circle.
        (roots if cause is None or cause is tree else cause.children).append(tree)
    return roots


def iterate_trees(roots: Sequence[CauseTree]) -> Iterator[tuple[int, CauseTree]]:
    """Yield each tree with its depth, a cause before what it caused."""
    waiting = [(0, tree) for tree in reversed(roots)]
    while waiting:
        depth, tree = waiting.pop()
        yield depth, tree
        waiting += [(depth + 1, child) for child in reversed(tree.children)]


def draw_trees(
    roots: Sequence[CauseTree],
    current: str,
    describe: Mapping[str, str],
    deliveries: Sequence[GraphDelivery],
) -> tuple[Sequence[GraphNode], Sequence[tuple[int, int]]]:
    """Return the boxes and the lines of the drawing.

    Args:
        roots: the trees.
        current: the id of the event whose page shows the drawing.
        describe: a few words about each event, by id.
        deliveries: the deliveries of that event.
    """
    nodes: list[GraphNode] = []
    edges: list[tuple[int, int]] = []
    places: dict[str, int] = {}
    row = -1
    last_depth = 0
    for depth, tree in iterate_trees(roots):
        if len(nodes) >= LARGEST_DRAWING:
            break
        # A first child stands in the row of its cause.
        if depth <= last_depth or row < 0:
            row += 1
        last_depth = depth
        id_ = str(tree.event["id"])
        places[id_] = len(nodes)
        cause = places.get(str(tree.event["causation_id"]))
        if cause is not None and depth > 0:
            edges.append((cause, len(nodes)))
        href, tone = ("", "run") if id_ == current else (f"/dashboard/events/{id_}", "")
        nodes.append(
            GraphNode(
                depth * _WIDTH,
                row * _HEIGHT,
                str(tree.event["event_type"]),
                describe.get(id_, ""),
                tone,
                href,
            )
        )
        if id_ == current:
            for index, delivery in enumerate(deliveries):
                row += 1 if index else 0
                edges.append((places[id_], len(nodes)))
                nodes.append(
                    GraphNode(
                        (depth + 1) * _WIDTH,
                        row * _HEIGHT,
                        delivery.title,
                        f"delivery, {delivery.state}",
                        {"succeeded": "ok", "failed": "fail"}.get(delivery.state, "wait"),
                        delivery.href,
                    )
                )
            if deliveries:
                # What the event caused begins below its deliveries.
                last_depth = depth + 1
    return nodes, edges
