"""Copies of a broker and their fingerprints, what `explore` is made of; and runs of one scenario under many seeds."""

from collections import deque
from collections.abc import Iterator

from pairs import paired, repeated
from rows import Row, duration
from scale import Scale

from routesim.broker import Broker
from routesim.run import Runner
from routesim.run.sweeps.sweep import sweep
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

TITLE = "Copies, fingerprints, seeds"
SIZES = (5, 50, 500)
DRAWS = """
queues: {q: , r: }
consumers:
  w: {queue: q, takes: 5ms, prefetch: 2, on_message: [{chance: 0.1, do: requeue}, {chance: 0.1, do: reject}, {do: ack}]}
steps:
  - publish: {routing_key: q, count: 20, every: 3ms}
"""


def measure(scale: Scale) -> Iterator[Row]:
    for messages in SIZES:
        broker = _broker(messages)
        waiting = [list(queue.ready()) for queue in broker.queues.values()]
        copies = paired(repeated(broker.copy), repeated(lambda waiting=waiting: [deque(each) for each in waiting]), scale)
        yield Row(f"Broker.copy, {messages} messages", duration(copies.first_s), copies.cost, "the time of its lists")
        prints = paired(repeated(broker.fingerprint), repeated(broker.copy), scale)
        yield Row(f"fingerprint, {messages} messages", duration(prints.first_s), prints.cost, "the time of a copy")
    scenario = load_source(Source("bench", DRAWS), "")

    def swept(runs: int) -> None:
        found = sweep(scenario, range(runs))
        assert found.drawn
        assert found.runs == runs

    def alone(runs: int) -> None:
        for seed in range(runs):
            Runner(scenario, None, seed=seed, keep=False).run()

    seeds = paired(swept, alone, scale)
    yield Row("--seeds, 20 messages, 20 % drawn, a run", duration(seeds.first_s), seeds.cost, "the time of runs alone")


def _broker(messages: int) -> Broker:
    lines = "".join(f"  - publish: {{routing_key: q{number % 3}, id: m{number}}}\n" for number in range(messages))
    text = f"queues: {{q0: , q1: , q2: }}\nconsumers: {{c: {{queue: q0, prefetch: 2, on_message: hold}}}}\nsteps:\n{lines}"
    return Runner(load_source(Source("bench", text), ""), None, keep=False).run().broker
