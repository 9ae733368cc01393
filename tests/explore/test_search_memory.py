"""What is kept of a state once it has been looked at."""

import gc
import tracemalloc

from routesim.explore import Bounds
from routesim.explore.search import Search
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

TEXT = """
queues: {a: , b: }
consumers: {one: {queue: a, prefetch: 2, concurrency: 2}, two: {queue: b, on_message: reject}}
steps:
  - publish: {routing_key: a, id: m0}
  - publish: {routing_key: a, id: m1}
  - publish: {routing_key: b, id: m2, channel: other}
"""


def test_no_state_keeps_more_than_a_kilobyte() -> None:
    scenario = load_source(Source("kept.yaml", TEXT), "")
    Search(scenario, Bounds(max_states=50)).run()  # what is worked out once, and loaded
    search = Search(scenario, Bounds())
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        found = search.run()
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert found.complete
    assert len(search.known) > 500
    assert kept / len(search.known) < 1_024
