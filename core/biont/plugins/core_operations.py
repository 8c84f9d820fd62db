"""Operation kinds of the core: the replay of dead letters."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from biont.accounts.principal import Actor
from biont.accounts.user_acts import delete_some
from biont.accounts.user_rows import has_rows
from biont.contract.operation_kinds import OperationKind
from biont.http.admin_routes import USER_DELETE, UserDeletion
from biont.http.dead_letter_routes import DEAD_LETTER_REPLAY, LetterChoice
from biont.operations.part import Chunk, Counts, Part
from biont.store.dead_letters import DeadLetterFilter, find_letters
from biont.store.transaction import Transaction
from biont.workbench import Workbench


async def _replay_some(part: Part, workbench: Workbench) -> Chunk:
    found = await workbench.store.read(
        find_letters, _read_choice(part), int(part.cursor or 0), part.limit
    )

    def mark(tx: Transaction) -> Counts:
        marked = workbench.events.dead_letters.mark(tx, found.rows)
        return Counts(done=marked, skipped=len(found.rows) - marked)

    return Chunk(mark, None if found.end is None else str(found.end))


def _count_some(part: Part) -> tuple[int, str | None]:
    found = find_letters(_read_choice(part), int(part.cursor or 0), part.limit)
    return len(found.rows), None if found.end is None else str(found.end)


def _read_choice(part: Part) -> DeadLetterFilter:
    choice = part.parameters_as(LetterChoice)
    # A letter that fails again during the operation is not replayed once more.
    end = part.begun_at + timedelta(microseconds=1)
    until = end if choice.until is None else min(choice.until, end)
    return replace(choice.make_filter(part.user_id), until=until)


async def _delete_some(part: Part, workbench: Workbench) -> Chunk:
    chosen = part.parameters_as(UserDeletion)
    actor = Actor(chosen.key_id, chosen.address)
    is_last = not await workbench.store.read(has_rows, chosen.user_id)

    def delete(tx: Transaction) -> Counts:
        done = deleted = delete_some(tx, chosen.user_id, part.limit, actor, part.user_id)
        # Rows that were made since the search: the last part ends with the user.
        while is_last and deleted:
            deleted = delete_some(tx, chosen.user_id, part.limit, actor, part.user_id)
            done += deleted
        return Counts(done=done or 1)

    # The deleted rows are gone from the next search, so the cursor only counts the parts.
    return Chunk(delete, None if is_last else str(int(part.cursor or 0) + 1))


CORE_OPERATIONS = (
    OperationKind(DEAD_LETTER_REPLAY, LetterChoice, _replay_some, _count_some),
    OperationKind(USER_DELETE, UserDeletion, _delete_some),
)
