"""Rows that belong to users, and the queries from which all access to them starts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Self

from peewee import AutoField, Expression, ForeignKeyField, ModelSelect

from biont.accounts.users import User
from biont.exceptions import NotFound
from biont.store.database import Table


class OwnedTable(Table):
    """The base class of tables whose rows belong to users.

    Ask for rows by the methods below, and nobody sees what is somebody else's.
    """

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE")
    user_id: int

    @classmethod
    def of_user(cls, user_id: int) -> ModelSelect[Self]:
        """Return the query of all rows of a user."""
        return cls.select().where(cls.user == user_id)

    @classmethod
    def get_owned(cls, user_id: int, row_id: int) -> Self:
        """Return one row of a user.

        Raises:
            NotFound: there is none of that number, or it is somebody else's.
        """
        # Most requests read one row: to put its query together costs thirty times the query.
        rows: Iterator[Self] = iter(cls.raw(_compile(cls), user_id, row_id))
        found = next(rows, None)
        if found is None:
            raise NotFound(f"there is no {_to_words(cls.__name__)} {row_id}")
        return found

    @classmethod
    def read_page(
        cls, user_id: int, limit: int, before: int | None, *conditions: Expression
    ) -> list[Self]:
        """Return up to ``limit + 1`` rows of a user, the newest first.

        Args:
            user_id: whose rows.
            limit: how many a page has; one more tells that there is another page.
            before: only those that are older than this row; None for the first page.
            conditions: further conditions that the rows meet.
        """
        query = cls.of_user(user_id)
        for condition in conditions:
            query = query.where(condition)
        if before is not None:
            query = query.where(cls.id < before)
        return list(query.order_by(cls.id.desc()).limit(limit + 1))


def _to_words(name: str) -> str:
    """Return ``tool call`` for ``ToolCall``."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


@lru_cache
def _compile(table: type[OwnedTable]) -> str:
    """Return the query of one row, for its user and its number."""
    sql, _ = table.select().where(table.user == 0, table.id == 0).sql()
    return str(sql)
