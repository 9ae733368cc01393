"""States a second of `explore`, by the processor time of one process: beside what it takes to copy a broker, to have it do one
thing and to compare it, which a search does not do for each state, and beside the least that Python takes to copy, change and
compare as many names as plain data, which is the same whatever the engine is like.

The goal is 8,000 states a second with 5 messages on a machine that does that least QUICK times a second; as a ratio to it, it is
the same on a faster machine and on a slower one.

And how much less time several processes take."""

import gc
import marshal
from collections.abc import Iterator
from hashlib import blake2b

from crews import speed_of
from pairs import Work, paired
from rows import Row, at_least, at_most, duration, per_second
from scale import Scale
from throughput import against

from routesim.broker import Broker
from routesim.explore import Bounds
from routesim.explore.root import root_of
from routesim.explore.search import Search
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source
from routesim.steps import Ack, Publish

TITLE = "Exploring, states a second"
MESSAGES = (5, 50, 500)
JOBS = 2
TO_FLOOR = "of copying alone"
TO_PLAIN = "the time of plain data"
QUICK = 400_000


def measure(scale: Scale) -> Iterator[Row]:
    for messages in MESSAGES:
        scenario = _scenario(messages)
        what = f"{messages} messages in flight"
        yield against(what, _explored(scenario), _floor(scenario), TO_FLOOR, None, scale)
        if messages == MESSAGES[0]:
            found = paired(_explored(scenario), _plain(messages), scale)
            yield Row(what, per_second(found.first_s), found.cost, TO_PLAIN, at_most("E1", QUICK / 8_000))
    seconds, ratio = speed_of(JOBS, _wide(min(5, scale.growing)), Bounds(), scale.least_pairs)
    yield Row("all states of three publishers, by two processes", duration(seconds), ratio, "one process", at_least("E2", 1.7))


def _wide(messages: int) -> Scenario:
    """Three queues, each with a publisher and a consumer."""
    steps = "".join(f"  - publish: {{routing_key: q{n % 3}, id: m{n}, channel: p{n % 3}}}\n" for n in range(messages))
    consumers = "c0: {queue: q0, prefetch: 2, concurrency: 2}, c1: {queue: q1}, c2: {queue: q2}"
    text = f"queues: {{q0: , q1: , q2: }}\nconsumers: {{{consumers}}}\nsteps:\n{steps}"
    return load_source(Source("wide.yaml", text), "")


def _scenario(messages: int) -> Scenario:
    """Three queues and two consumers."""
    steps = "".join(f"  - publish: {{exchange: x, routing_key: a{number % 3}.b, id: m{number}}}\n" for number in range(messages))
    queues = "\n".join(f"  - {{source: x, destination: q{number}, routing_key: a{number}.#}}" for number in range(3))
    text = (
        f"exchanges: {{x: topic}}\nqueues: {{q0: , q1: , q2: }}\nbindings:\n{queues}\n"
        f"consumers: {{c0: {{queue: q0, prefetch: 2}}, c1: {{queue: q1, prefetch: 2}}}}\nsteps:\n{steps}"
    )
    return load_source(Source("bench.yaml", text), "")


def _explored(scenario: Scenario) -> Work:
    """So many states; a scenario that has fewer is explored again."""

    def work(states: int) -> None:
        while states > 0:
            search = Search(scenario, Bounds(max_states=states + 1))
            search.run()
            states -= len(search.known)

    return work


def _floor(scenario: Scenario) -> Work:
    broker: Broker = root_of(scenario, Bounds()).broker
    for step in scenario.steps:
        action = step.action
        broker.apply(Publish(action.channel, action.message, action.id(0)))  # type: ignore[union-attr]
    broker.outbox.clear()

    def work(states: int) -> None:
        for _ in range(states):
            copy = broker.copy()
            copy.apply(Ack("c0", 1))
            copy.fingerprint()

    return work


def _plain(messages: int) -> Work:
    """Three lists of names: they are copied, one of them gives a name to the next, and what they look like is looked up."""
    queues = {f"q{number}": [f"m{each}" for each in range(number, messages, 3)] for number in range(3)}

    def work(states: int) -> None:
        gc.disable()  # what a search has left is not cleared up at the cost of this
        known: dict[bytes, int] = {}
        now = queues
        for number in range(states):
            now = {name: names.copy() for name, names in now.items()}
            left = now[f"q{number % 3}"]
            if left:
                now[f"q{(number + 1) % 3}"].append(left.pop(0))
            look = tuple([(name, tuple(names)) for name, names in now.items()])
            known.setdefault(blake2b(marshal.dumps(look, 2), digest_size=16).digest(), number)
        gc.enable()

    return work
