"""What a due instant comes to: pure decisions, the same for real and in a simulation."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain, takewhile
from zoneinfo import ZoneInfo

from biont.scheduler.tables import CatchUp, Overlap, RunStatus
from biont.scheduler.timing import Timing

INSTANTS_A_CLAIM = 200
"""How many instants that are not run any more a schedule settles at once."""

_MOST_INTERRUPTIONS = 3


@dataclass(frozen=True, slots=True)
class RunPolicy:
    """What a schedule does when it does not go smoothly.

    Attributes:
        catch_up: which of several missed instants are run.
        patience: how far behind its instant a run may still start.
        catch_up_limit: how many missed instants ``all`` runs at most.
        overlap: what an instant does while an earlier run goes on.
        runs_left: how many runs there may still be; None for no limit.
        daily_budget: how many of them on one day of the zone; None for no limit.
    """

    catch_up: CatchUp
    patience: timedelta
    catch_up_limit: int = 100
    overlap: Overlap = Overlap.SKIP
    runs_left: int | None = None
    daily_budget: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether what an instant comes to depends on no runs of the past."""
        return self.runs_left is None and self.daily_budget is None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one instant comes to: a run that is queued, or why there is none."""

    instant: datetime
    status: RunStatus
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a schedule owes, and from where it goes on.

    Attributes:
        verdicts: one for each instant, in order.
        following: the first instant that is left; None when there is none.
    """

    verdicts: Sequence[Outcome]
    following: datetime | None

    @property
    def queued(self) -> int:
        """How many runs that are."""
        return sum(verdict.status is RunStatus.QUEUED for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class RunHistory:
    """What the runs of a schedule so far have to do with its next.

    Attributes:
        busy_with: the number of an earlier run that has not ended.
        runs_by_day: how many runs each day of its zone has had.
    """

    busy_with: int | None = None
    runs_by_day: Mapping[date, int] = field(default_factory=dict)


def decide(timing: Timing, first: datetime, now: datetime, policy: RunPolicy) -> Decision:
    """Return what a schedule owes at `now`, if none of its runs of the past counts.

    Long lists come in parts: call again with `Decision.following` while that is due.

    Args:
        timing: of the schedule.
        first: the instant that it is to go on from; it is due.
        now: the present, less the jitter of the schedule.
        policy: of the schedule.
    """
    following = timing.next_after(first)
    if following is None or following > now:
        return Decision([_judge(first, now, policy, chosen=[first])], following)
    chosen = _choose(timing, first, now, policy)
    verdicts: list[Outcome] = []
    for instant in chain([first], timing.instants(first)):
        is_full = len(verdicts) >= INSTANTS_A_CLAIM and instant not in chosen
        if instant > now or is_full:
            return Decision(verdicts, instant)
        verdicts.append(_judge(instant, now, policy, chosen))
    return Decision(verdicts, None)


def _choose(
    timing: Timing, first: datetime, now: datetime, policy: RunPolicy
) -> Sequence[datetime]:
    """Return the latest instants up to `now`, as many as may be run."""
    earliest = now - policy.patience
    limit = policy.catch_up_limit if policy.catch_up is CatchUp.ALL else 1
    later = timing.instants(max(first, earliest - timedelta(microseconds=1)))
    due = takewhile(lambda instant: instant <= now, later)
    return deque(chain([first], due) if first >= earliest else due, maxlen=limit)


def _judge(
    instant: datetime, now: datetime, policy: RunPolicy, chosen: Sequence[datetime]
) -> Outcome:
    if now - instant > policy.patience:
        reason = f"nothing could run it within {policy.patience.total_seconds():g} seconds"
        return Outcome(instant, RunStatus.MISSED, reason)
    if instant in chosen:
        return Outcome(instant, RunStatus.QUEUED)
    return Outcome(
        instant, RunStatus.COALESCED, f"the run for {_show(chosen[0])} is made in its place"
    )


def apply_history(owed: Decision, policy: RunPolicy, past: RunHistory, zone: ZoneInfo) -> Decision:
    """Return what becomes of what a schedule owes, with its runs of the past."""
    runs_left = policy.runs_left
    by_day = Counter(past.runs_by_day)
    verdicts: list[Outcome] = []
    for owed_verdict in owed.verdicts:
        if runs_left is not None and runs_left <= 0:
            return Decision(verdicts, None)
        verdict, day = owed_verdict, owed_verdict.instant.astimezone(zone).date()
        if verdict.status is RunStatus.QUEUED:
            verdict = _settle_run(verdict, policy, past, day, by_day[day])
        if verdict.status is RunStatus.QUEUED:
            by_day[day] += 1
            runs_left = None if runs_left is None else runs_left - 1
        verdicts.append(verdict)
    return Decision(verdicts, None if runs_left == 0 else owed.following)


def _settle_run(
    verdict: Outcome, policy: RunPolicy, past: RunHistory, day: date, had: int
) -> Outcome:
    if past.busy_with is not None and policy.overlap is Overlap.SKIP:
        reason = f"run {past.busy_with} was still going on"
        return Outcome(verdict.instant, RunStatus.SKIPPED_OVERLAP, reason)
    if policy.daily_budget is not None and had >= policy.daily_budget:
        reason = f"the budget of {policy.daily_budget} runs for {day} was used up"
        return Outcome(verdict.instant, RunStatus.SKIPPED_BUDGET, reason)
    return verdict


def find_lateness(due_at: datetime, now: datetime, patience: timedelta) -> str | None:
    """Return why a run that has waited for its turn is not started any more, if so."""
    waited = now - due_at
    if waited <= patience:
        return None
    return (
        f"it waited {waited.total_seconds():.0f} seconds for a free place, "
        f"longer than {patience.total_seconds():g}"
    )


def is_given_up(attempts: int, failures: int) -> bool:
    """Return whether a run was interrupted so often that it is not tried again."""
    return attempts - failures >= _MOST_INTERRUPTIONS


def _show(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
