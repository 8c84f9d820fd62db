"""Base class of tables whose rows belong to users, with the queries that check the owner."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar, Self

from peewee import AutoField, Expression, ForeignKeyField, ModelSelect

from biont.accounts.user_records import User
from biont.exceptions import NotFound
from biont.store.database import Table
from biont.store.span import ALL, Span


class OwnedTable(Table):
    """Base class of tables whose rows belong to users.

    Read rows by the methods of this class: each method returns rows of the given user only.
    """

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE")
    user_id: int

    made_at: ClassVar[str] = "created_at"
    """The column of the time at which a row was made."""

    @classmethod
    def of_user(cls, user_id: int) -> ModelSelect[Self]:
        """Return the query of all rows of a user."""
        return cls.select().where(cls.user == user_id)

    @classmethod
    def get_owned(cls, user_id: int, row_id: int) -> Self:
        """Return the row `row_id` of a user.

        Raises:
            NotFound: the row does not exist, or belongs to another user.
        """
        # Most requests read one row, and building the query takes thirty times as long as
        # running it: the SQL text is cached.
        rows: Iterator[Self] = iter(cls.raw(_compile(cls), user_id, row_id))
        found = next(rows, None)
        if found is None:
            raise NotFound(f"there is no {_to_words(cls.__name__)} {row_id}")
        return found

    @classmethod
    def read_page(
        cls, user_id: int, limit: int, span: Span = ALL, *conditions: Expression
    ) -> list[Self]:
        """Return up to ``limit + 1`` rows of a user, in the order of the span.

        Args:
            user_id: the owner of the rows.
            limit: the size of a page; an extra row shows that there is another page.
            span: the part of the list.
            conditions: further conditions that the rows meet.
        """
        query = cls.of_user(user_id)
        for condition in conditions:
            query = query.where(condition)
        return span.read(query, limit, key=cls.id, time=getattr(cls, cls.made_at))


def _to_words(name: str) -> str:
    """Return ``tool call`` for ``ToolCall``."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


@lru_cache
def _compile(table: type[OwnedTable]) -> str:
    """Return the SQL of the query for a row by user and number."""
    sql, _ = table.select().where(table.user == 0, table.id == 0).sql()
    return str(sql)
