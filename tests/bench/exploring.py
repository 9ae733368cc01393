"""States a second of `explore`, by the processor time of one process, beside what it takes to copy a broker, to have it do one
thing and to compare it, which a search does not do for each state.

The goal is 8,000 states a second with 5 messages on a machine that copies COPIES a second; as a ratio to that it is the same on a
faster machine and on a slower one.

And how much less time several processes take."""

from collections.abc import Iterator

from crews import speed_of
from pairs import Work
from rows import Row, at_least, duration
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
COPIES = 5_500


def measure(scale: Scale) -> Iterator[Row]:
    for messages in MESSAGES:
        scenario = _scenario(messages)
        what = f"{messages} messages in flight"
        goal = at_least("E1", round(8_000 / COPIES, 2)) if messages == MESSAGES[0] else None
        yield against(what, _explored(scenario), _floor(scenario), TO_FLOOR, goal, scale)
    for kind in ("classic", "quorum"):
        seconds, ratio = speed_of(JOBS, _wide(min(5, scale.growing), kind), Bounds(), scale.least_pairs)
        what = f"three publishers and {kind} queues, two processes"
        yield Row(what, duration(seconds), ratio, "one process", at_least("E2", 1.7))


def _wide(messages: int, kind: str) -> Scenario:
    """Three queues, each with a publisher and a consumer."""
    steps = "".join(f"  - publish: {{routing_key: q{n % 3}, id: m{n}, channel: p{n % 3}}}\n" for n in range(messages))
    consumers = "c0: {queue: q0, prefetch: 2, concurrency: 2}, c1: {queue: q1}, c2: {queue: q2}"
    queues = ", ".join(f"q{number}: {{type: {kind}}}" for number in range(3))
    text = f"queues: {{{queues}}}\nconsumers: {{{consumers}}}\nsteps:\n{steps}"
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
