"""Our own limit of calls: never more than allowed, waiting a little, refusing for long."""

import threading
from itertools import pairwise

import pytest

from connectors import MemoryLimiter, Rate, RateLimited


class Clock:
    def __init__(self, start: float = 1000.0) -> None:
        self.now = start
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


def limiter(clock, *rates, patience=2.0):
    return MemoryLimiter("x", rates, patience=patience, clock=clock, sleep=clock.sleep)


def test_calls_within_the_rate_leave_at_once(clock):
    limit = limiter(clock, Rate(3, 60))
    for _call in range(3):
        limit.acquire("covers")
    assert clock.slept == []


def test_call_too_many_is_refused_with_the_time_to_wait_and_not_counted(clock):
    limit = limiter(clock, Rate(2, 60))
    limit.acquire("covers")
    clock.now += 10
    limit.acquire("covers")
    for _try in range(5):
        with pytest.raises(RateLimited) as caught:
            limit.acquire("covers")
        assert caught.value.retry_after == 50
    assert caught.value.insurer == "x" and caught.value.retryable and not caught.value.may_have_acted
    clock.now += 50
    limit.acquire("covers")


def test_short_wait_is_waited(clock):
    limit = limiter(clock, Rate(1, 1.5))
    limit.acquire("covers")
    limit.acquire("covers")
    assert clock.slept == [1.5]


def test_operations_count_by_themselves_or_together(clock):
    apart, together = limiter(clock, Rate(1, 60)), limiter(clock, Rate(1, 60, per_operation=False))
    for limit in (apart, together):
        limit.acquire("covers")
    apart.acquire("grades")
    with pytest.raises(RateLimited):
        together.acquire("grades")


def test_every_rate_is_kept(clock):
    limit = limiter(clock, Rate(2, 1), Rate(3, 60), patience=5)
    for _call in range(3):
        limit.acquire("covers")
    assert clock.slept == [1.0]
    with pytest.raises(RateLimited) as caught:
        limit.acquire("covers")
    assert caught.value.retry_after == 59


def test_same_rate_given_twice_counts_once(clock):
    limit = limiter(clock, Rate(2, 60), Rate(2, 60))
    limit.acquire("covers")
    limit.acquire("covers")


@pytest.mark.parametrize("start", [0.1 * number for number in range(1, 40)])
def test_rounding_neither_lets_calls_through_nor_sleeps_backwards(start):
    clock = Clock(start)
    limit = limiter(clock, Rate(1, 0.1))
    left = []
    for _call in range(50):
        limit.acquire("covers")
        left.append(clock.now)
    assert all(later - earlier > 0.0999 for earlier, later in pairwise(left))


def test_threads_share_the_limit():
    limit = MemoryLimiter("x", [Rate(50, 3600)])
    outcomes = []

    def work():
        for _call in range(20):
            try:
                limit.acquire("covers")
                outcomes.append(True)
            except RateLimited:
                outcomes.append(False)

    workers = [threading.Thread(target=work) for _worker in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (outcomes.count(True), outcomes.count(False)) == (50, 150)


@pytest.mark.parametrize("rate", [(0, 60), (1, 0), (-1, 60), (1, -1)])
def test_rate_that_allows_nothing_is_not_made(rate):
    with pytest.raises(ValueError):
        Rate(*rate)
