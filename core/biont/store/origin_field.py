"""Column with the origin of text from outside; see `biont.event.Event.origin`."""

from __future__ import annotations

from peewee import TextField

from biont.event import find_origin


class OriginField(TextField):
    """Id of the event by which text from outside came in that led to the row; None for none.

    A new row gets the origin of the code that makes the row, so no code has to pass the origin.
    """

    def __init__(self) -> None:
        super().__init__(null=True, default=find_origin)
