"""Chains, groups, chords and links: the messages are those of a real Celery, and what a worker sends for them is, too."""

from random import Random

import pytest
from kits.celery.canvas import of_ours, sent_by_celery, sent_by_us, tree, worked_by_us
from kits.redis import server

SEEDS = 250  # of each depth; canvases are small
WORKED = 60


@pytest.mark.parametrize("depth", [1, 2])
def test_a_caller_sends_what_celery_sends(depth: int) -> None:
    for seed, wanted in enumerate(sent_by_celery("cache+memory://", depth, SEEDS)):
        drawn = tree(Random(seed), depth)
        assert sent_by_us(of_ours(drawn)) == wanted, (seed, drawn)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_worker_sends_what_a_worker_of_celery_sends(depth: int) -> None:
    """Callbacks, errbacks, next steps, bodies of chords that are complete: headers and bodies, in order."""
    with server() as port:
        found = sent_by_celery(f"redis://127.0.0.1:{port}/0", depth, WORKED, works=True)
    for seed, wanted in enumerate(found):
        drawn = tree(Random(seed), depth)
        assert worked_by_us(drawn) == wanted, (seed, drawn)
