"""Changes between two API documents."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ApiChange:
    """A change.

    Attributes:
        place: the operation: ``POST /api/v1/notes``.
        text: the change, as a sentence without a final point.
        breaks: whether the change breaks clients of the old document.
    """

    place: str
    text: str
    breaks: bool


@dataclass
class ChangeList:
    """The changes that a comparison has found so far."""

    found: list[ApiChange] = field(default_factory=list)

    def add(self, place: str, text: str, *, breaks: bool) -> None:
        """Add a change, once."""
        change = ApiChange(place, text, breaks)
        if change not in self.found:
            self.found.append(change)
