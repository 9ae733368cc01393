"""What holds tasks back in a worker."""

import pytest
from kits.clients import requested

from routesim.clients.worker.limits import MAX_PREFETCH, PrefetchCount, RateLimit
from routesim.model import Task

TASK = Task("t")


def test_a_limit_grows_and_shrinks_with_what_is_held() -> None:
    count = PrefetchCount(4, None)
    count.increment()
    assert count.to_announce() == 5
    count.decrement()
    assert count.to_announce() == 4


def test_nothing_is_told_twice() -> None:
    count = PrefetchCount(4, None)
    assert count.to_announce() is None
    count.increment()
    count.to_announce()
    assert count.to_announce() is None


def test_up_and_down_between_two_tellings_is_not_told() -> None:
    count = PrefetchCount(4, None)
    count.increment()
    count.decrement()
    assert count.to_announce() is None


def test_no_limit_stays_no_limit() -> None:
    count = PrefetchCount(0, 3)
    count.increment()
    count.decrement()
    assert (count.value, count.to_announce()) == (0, None)


def test_the_eta_limit_caps_it_even_below_where_it_began() -> None:
    """kombu's QoS takes the smaller of the two, whatever it was before."""
    growing, beyond = PrefetchCount(2, 3), PrefetchCount(8, 3)
    for count in (growing, beyond):
        for _ in range(3):
            count.increment()
        assert count.value == 3


def test_it_never_shrinks_to_no_limit() -> None:
    count = PrefetchCount(1, 1)
    count.increment()
    count.decrement()
    assert count.value == 1


@pytest.mark.parametrize(("value", "told"), [(MAX_PREFETCH - 1, MAX_PREFETCH), (MAX_PREFETCH, 0)])
def test_what_does_not_fit_into_16_bits_is_no_limit(value: int, told: int) -> None:
    count = PrefetchCount(value, None)
    count.increment()
    assert count.to_announce() == told


def test_a_bucket_gives_its_one_token_and_the_next_when_it_is_filled_again() -> None:
    limit = RateLimit(2)
    first, second = requested(TASK), requested(TASK)
    limit.waiting.extend((first, second))
    assert limit.take(0) is first
    assert limit.take(499) is None
    assert limit.take(500) is second


def test_a_bucket_holds_no_more_than_one_token() -> None:
    limit = RateLimit(1)
    limit.waiting.extend(requested(TASK) for _ in range(2))
    assert limit.take(60_000) is not None
    assert limit.take(60_000) is None


def test_an_empty_bucket_takes_no_token() -> None:
    limit = RateLimit(1)
    assert limit.take(0) is None
    limit.waiting.append(requested(TASK))
    assert limit.take(0) is not None
