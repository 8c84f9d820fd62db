"""Parts of an operation: the work of one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel

from biont.accounts.principal import Scope
from biont.store.transaction import Transaction

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Part:
    """The next part of an operation.

    Attributes:
        operation_id: the number of the operation.
        user_id: the user of the operation, whose rows alone may be changed.
        begun_at: the instant of the request. Rows from later are no part of the operation, which
            would otherwise not end.
        parameters: the parameters of the operation, as JSON.
        cursor: the place at which the part begins; None for the first part.
        limit: the most rows that the part should look at.
    """

    operation_id: int
    user_id: int
    begun_at: datetime
    parameters: str
    cursor: str | None
    limit: int

    def parameters_as(self, model: type[M]) -> M:
        """Return the parameters of the operation.

        Args:
            model: the `OperationKind.parameters` of the kind.
        """
        return model.model_validate_json(self.parameters)


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of rows, by outcome.

    Attributes:
        done: the rows that were changed.
        skipped: the rows with nothing to do.
        failed: the rows for which the act has failed.
    """

    done: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A prepared part.

    Attributes:
        write: makes the changes, and returns their numbers. Called in the transaction that also
            stores `cursor`: a crash leaves both or nothing.
        cursor: the place at which the next part begins; None after the last part.
    """

    write: Callable[[Transaction], Counts]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class BoundKind:
    """Operation kind, bound to the workbench.

    Attributes:
        step: prepares a part.
        count: a store function that counts up to `Part.limit` rows from the cursor on; returns
            the number and the cursor of the further rows. None for a kind that does not count.
        scopes: the key scopes that may see and cancel the operations, in addition to ``full``.
    """

    step: Callable[[Part], Awaitable[Chunk]]
    count: Callable[[Part], tuple[int, str | None]] | None = None
    scopes: frozenset[Scope] = frozenset()
