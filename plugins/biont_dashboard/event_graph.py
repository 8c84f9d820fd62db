"""Graph of causes: the events of one correlation id, placed for a drawing.

Each event stands to the right of the event that caused it. A subtree has rows of its own, so no
line crosses another. Events whose cause is not among the events are roots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

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


class GraphBox(NamedTuple):
    """Content of a box: an event, or a thing beside the events.

    Attributes:
        title: the upper line.
        subtitle: the lower line.
        tone: the tone; empty for none.
        href: the page of the thing; empty for none.
    """

    title: str
    subtitle: str
    tone: str
    href: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Boxes beside the events.

    Attributes:
        sources: the things in which all events happened, the outermost first: a schedule, a run.
        calls: the calls of language models in the innermost of them.
        deliveries: the deliveries of the event whose page shows the drawing.
    """

    sources: Sequence[GraphBox] = ()
    calls: Sequence[GraphBox] = ()
    deliveries: Sequence[GraphBox] = ()


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


class Drawing:
    """Boxes and lines, placed in the order in which they are added: a cause before its effects.

    Attributes:
        nodes: the boxes.
        edges: the lines, each from the number of a box to the number of another.
    """

    def __init__(self) -> None:
        self.nodes: list[GraphNode] = []
        self.edges: list[tuple[int, int]] = []
        self._row = -1
        self._causes: set[int] = set()

    def add(self, depth: int, box: GraphBox, cause: int | None) -> int:
        """Add a box; return its number. The first effect stands in the row of its cause."""
        number = len(self.nodes)
        if cause is None or cause in self._causes:
            self._row += 1
        if cause is not None:
            self._causes.add(cause)
            self.edges.append((cause, number))
        self.nodes.append(GraphNode(depth * _WIDTH, self._row * _HEIGHT, *box))
        return number


def draw_trees(
    roots: Sequence[CauseTree],
    current: str,
    summaries: Mapping[str, str],
    around: Surroundings,
) -> Drawing:
    """Return the drawing of some trees.

    Args:
        roots: the trees.
        current: the id of the event whose page shows the drawing.
        summaries: a few words about each event, by id.
        around: the boxes beside the events.
    """
    drawing = Drawing()
    source: int | None = None
    for depth, box in enumerate(around.sources):
        source = drawing.add(depth, box, source)
    shift = len(around.sources)
    for box in around.calls:
        drawing.add(shift, box, source)
    places: dict[str, int] = {}
    for depth, tree in iterate_trees(roots):
        if len(drawing.nodes) >= LARGEST_DRAWING:
            break
        id_ = str(tree.event["id"])
        is_current = id_ == current
        box = GraphBox(
            str(tree.event["event_type"]),
            summaries.get(id_, ""),
            "run" if is_current else "",
            "" if is_current else f"/dashboard/events/{id_}",
        )
        cause = places[str(tree.event["causation_id"])] if depth else source
        places[id_] = drawing.add(shift + depth, box, cause)
        for delivery in around.deliveries if is_current else ():
            drawing.add(shift + depth + 1, delivery, places[id_])
    return drawing
