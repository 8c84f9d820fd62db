"""Run policy: decides whether a due occurrence runs, is skipped, coalesced or missed.

Pure functions, shared by the scheduler and the simulator. A decision has two steps, because
the first can be shared by schedules that are alike and needs no database:

1. `decide` looks at the clock and the catch-up policy alone: an occurrence is queued,
   coalesced (a later run stands for it) or missed (too old).
2. `apply_history` looks at the earlier runs of the schedule: a queued occurrence may become
   skipped, because a run is still active or the day's budget is used up, and the schedule
   ends after its last allowed run.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain, takewhile
from zoneinfo import ZoneInfo

from biont.scheduler.tables import CatchUp, Overlap, RunStatus
from biont.scheduler.timing import Timing

MAX_UNRUN_OUTCOMES = 200
"""The number of occurrences that a schedule decides in one claim, runs not counted."""

MAX_WAITING_RUNS = 1000
"""The number of queued runs of a schedule; a further occurrence is skipped."""

_MAX_INTERRUPTIONS = 3
_SHORTEST_SPAN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RunPolicy:
    """Rules of a schedule for occurrences that cannot simply run on time.

    Attributes:
        catch_up: selects the missed occurrences that are run.
        max_lateness: the longest time from an occurrence to the start of the run.
        catch_up_limit: the largest number of missed occurrences that ``all`` runs.
        overlap: the treatment of an occurrence while an earlier run is active.
        runs_left: the number of runs that are still allowed; None for no limit.
        daily_budget: the number of runs allowed on one day of the zone; None for no limit.
    """

    catch_up: CatchUp
    max_lateness: timedelta
    catch_up_limit: int = 100
    overlap: Overlap = Overlap.SKIP
    runs_left: int | None = None
    daily_budget: int | None = None

    @property
    def counts_runs(self) -> bool:
        """True if the number of earlier runs matters."""
        return self.runs_left is not None or self.daily_budget is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Status of an occurrence: a queued run, or the reason why there is no run."""

    instant: datetime
    status: RunStatus
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Outcomes of the due occurrences of a schedule.

    Attributes:
        outcomes: an outcome for each occurrence, in order.
        next_instant: the first occurrence without an outcome; None when there is none.
    """

    outcomes: Sequence[Outcome]
    next_instant: datetime | None

    @property
    def run_count(self) -> int:
        """The number of queued runs."""
        return sum(outcome.status is RunStatus.QUEUED for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class RunHistory:
    """Earlier runs of a schedule, as far as the next run depends on earlier runs.

    Attributes:
        active_run: the id of an earlier run that has not ended.
        runs_by_day: the number of runs on each day of the schedule's zone.
        waiting_runs: the number of queued runs.
    """

    active_run: int | None = None
    runs_by_day: Mapping[date, int] = field(default_factory=dict)
    waiting_runs: int = 0


def decide(timing: Timing, first: datetime, now: datetime, policy: RunPolicy) -> Decision:
    """Return the outcomes of the occurrences from `first` to `now`, without the history.

    Long lists come in parts: call again with `Decision.next_instant` while that is due.

    Args:
        timing: the timing of the schedule.
        first: the first occurrence without an outcome; already due.
        now: the present instant, less the jitter of the schedule.
        policy: the run policy of the schedule.
    """
    following = timing.next_after(first)
    # Nearly always one occurrence is due; the search for the latest ones is not needed then.
    if following is None or following > now:
        return Decision([_decide_occurrence(first, now, policy, runnable=[first])], following)
    runnable = _select_runnable(timing, first, now, policy)
    outcomes: list[Outcome] = []
    for instant in chain([first], timing.instants(first)):
        # A year of missed minutes must not become one transaction of half a million rows.
        is_full = len(outcomes) >= MAX_UNRUN_OUTCOMES and instant not in runnable
        if instant > now or is_full:
            return Decision(outcomes, instant)
        outcomes.append(_decide_occurrence(instant, now, policy, runnable))
    return Decision(outcomes, None)


def _select_runnable(
    timing: Timing, first: datetime, now: datetime, policy: RunPolicy
) -> Sequence[datetime]:
    """Return the latest occurrences up to `now`, as many as the policy lets run."""
    limit = policy.catch_up_limit if policy.catch_up is CatchUp.ALL else 1
    earliest, span = now - policy.max_lateness, _SHORTEST_SPAN
    while True:
        # In growing steps backwards, because a window of months may have a million occurrences.
        begin = max(first, earliest, now - span)
        later = timing.instants(max(first, begin - timedelta(microseconds=1)))
        due = takewhile(lambda instant: instant <= now, later)
        runnable = deque(chain([first], due) if first >= begin else due, maxlen=limit)
        if len(runnable) == limit or now - span <= max(first, earliest):
            return runnable
        span *= 4


def _decide_occurrence(
    instant: datetime, now: datetime, policy: RunPolicy, runnable: Sequence[datetime]
) -> Outcome:
    if now - instant > policy.max_lateness:
        reason = f"it could not start within {policy.max_lateness.total_seconds():g} seconds"
        return Outcome(instant, RunStatus.MISSED, reason)
    if instant in runnable:
        return Outcome(instant, RunStatus.QUEUED)
    reason = f"the run for {runnable[0]:%Y-%m-%d %H:%M:%S} UTC is made in its place"
    return Outcome(instant, RunStatus.COALESCED, reason)


def apply_history(
    decision: Decision, policy: RunPolicy, history: RunHistory, zone: ZoneInfo
) -> Decision:
    """Return `decision` changed by the earlier runs of the schedule."""
    runs_left, waiting_runs = policy.runs_left, history.waiting_runs
    runs_by_day = Counter(history.runs_by_day)
    outcomes: list[Outcome] = []
    for decided in decision.outcomes:
        if runs_left is not None and runs_left <= 0:
            return Decision(outcomes, None)
        outcome, day = decided, decided.instant.astimezone(zone).date()
        if outcome.status is RunStatus.QUEUED and waiting_runs >= MAX_WAITING_RUNS:
            reason = f"{waiting_runs} runs of the schedule were waiting"
            outcome = Outcome(outcome.instant, RunStatus.SKIPPED_OVERLAP, reason)
        if outcome.status is RunStatus.QUEUED:
            outcome = _apply_limits(outcome, policy, history, day, runs_by_day[day])
        if outcome.status is RunStatus.QUEUED:
            waiting_runs += 1
            runs_by_day[day] += 1
            runs_left = None if runs_left is None else runs_left - 1
        outcomes.append(outcome)
    return Decision(outcomes, None if runs_left == 0 else decision.next_instant)


def _apply_limits(
    outcome: Outcome, policy: RunPolicy, history: RunHistory, day: date, runs_of_day: int
) -> Outcome:
    if history.active_run is not None and policy.overlap is Overlap.SKIP:
        reason = f"run {history.active_run} was still going on"
        return Outcome(outcome.instant, RunStatus.SKIPPED_OVERLAP, reason)
    if policy.daily_budget is not None and runs_of_day >= policy.daily_budget:
        reason = f"the budget of {policy.daily_budget} runs for {day} was used up"
        return Outcome(outcome.instant, RunStatus.SKIPPED_BUDGET, reason)
    return outcome


def explain_lateness(due_at: datetime, now: datetime, max_lateness: timedelta) -> str | None:
    """Return the reason why a queued run is too late to start; None for a run in time."""
    waited = now - due_at
    if waited <= max_lateness:
        return None
    return (
        f"it waited {waited.total_seconds():.0f} seconds for a free place, "
        f"longer than {max_lateness.total_seconds():g}"
    )


def has_crashed_too_often(attempts: int, failures: int) -> bool:
    """Return whether crashes interrupted a run so often that the run may cause the crashes."""
    return attempts - failures >= _MAX_INTERRUPTIONS
