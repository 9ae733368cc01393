"""Delays of retries that double, with jitter from the seed (celery/app/autoretry.py)."""

import itertools
from typing import Any

import pytest
from celery.utils.time import get_exponential_backoff_interval
from kits.scenario import ok

TEXT = """
seed: %d
celery:
  apps: {shop: }
  workers: {w1: }
  tasks: {a: {ends: exception, autoretry: true, max_retries: %d, %s}}
steps: [call: {task: a, id: a}]
"""


def delays(options: str, retries: int = 6, seed: int = 0) -> list[int]:
    """In seconds, between the end of one run and the beginning of the next."""
    started = [event["at_ms"] for event in ok(TEXT % (seed, retries, options)).of("task_started")]
    assert len(started) == retries + 1
    found = [later - earlier for earlier, later in itertools.pairwise(started)]
    assert all(ms % 1000 == 0 for ms in found)
    return [ms // 1000 for ms in found]


@pytest.mark.parametrize(("backoff", "factor"), [("true", 1), ("1", 1), ("3", 3), ("2.9", 2), ("0.5", 1), ("5s", 5)])
@pytest.mark.parametrize(("most", "maximum"), [("", 600), (", retry_backoff_max: 20", 20)])
def test_without_jitter_they_are_celerys(backoff: str, factor: int, most: str, maximum: int) -> None:
    wanted = [get_exponential_backoff_interval(factor, retries, maximum) for retries in range(6)]
    assert delays(f"retry_backoff: {backoff}, retry_jitter: false{most}") == wanted


def test_jitter_is_any_number_of_seconds_up_to_that_and_comes_from_the_seed() -> None:
    found = [delays("retry_backoff: 4", seed=seed) for seed in range(30)]
    assert found[0] == delays("retry_backoff: 4", seed=0)
    longest = [get_exponential_backoff_interval(4, retries, 600) for retries in range(6)]
    for runs in zip(*found, strict=True):
        assert len(set(runs)) > 3
    assert all(0 <= delay <= most for runs in found for delay, most in zip(runs, longest, strict=True))
    first = {runs[0] for runs in found}
    assert first == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("options", ["retry_backoff: false", "default_retry_delay: 7", "countdown: 7, retry_backoff: 0"])
def test_without_it_the_delay_is_the_tasks(options: str) -> None:
    assert delays(options, 2) == [7 if "7" in options else 180] * 2


def test_a_retry_that_the_body_asks_for_itself_has_the_plain_delay() -> None:
    rules = "runs: [{retries: 0, ends: retry}], retry_backoff: 2, retry_jitter: false, default_retry_delay: 30"
    assert delays(rules, 3) == [30, 4, 8]


def test_many_retries_end_at_the_maximum() -> None:
    found: Any = delays("retry_backoff: true, retry_jitter: false, retry_backoff_max: 3", 60)
    assert set(found[2:]) == {3}
