"""Waits before retries."""

from __future__ import annotations

import pytest

from biont.backoff import Backoff


def list_waits(backoff: Backoff, chance: float = 0.0) -> list[float | None]:
    return [backoff.find_wait(retry, chance) for retry in range(1, 5)]


def test_waits_of_a_list_are_used_in_order_and_then_no_retry_is_left() -> None:
    assert list_waits(Backoff([5, 0, 60])) == [5, 0, 60, None]


def test_no_waits_mean_no_retry() -> None:
    assert list_waits(Backoff([])) == [None] * 4


def test_exponential_waits_double_up_to_the_longest() -> None:
    assert list_waits(Backoff.exponential(0.5, 3)) == [0.5, 1, 2, None]
    assert list_waits(Backoff.exponential(0.5, 4, longest=1.5)) == [0.5, 1, 1.5, 1.5]


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 10), (0.5, 11), (1.0, 12)])
def test_jitter_lengthens_a_wait_by_chance(chance: float, wait: float) -> None:
    assert Backoff([10], jitter=0.2).find_wait(1, chance) == pytest.approx(wait)


def test_the_longest_wait_includes_jitter() -> None:
    assert Backoff([10], jitter=0.2, longest=11).find_wait(1, 1.0) == 11
