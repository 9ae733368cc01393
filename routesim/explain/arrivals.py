"""A message as it comes into a queue, for questions that name only the queue."""

from collections.abc import Iterator

from routesim.broker import Broker
from routesim.broker.asking import content_of
from routesim.broker.routing import route
from routesim.content import Content
from routesim.explain.futures import dead_letter_target, ways_out
from routesim.explain.keys.key_sets import TooManyStates, witness
from routesim.explain.keys.reach import reach
from routesim.model import DEFAULT_EXCHANGE
from routesim.scenario import PublishMany, Scenario

MAX_PUBLISHES = 200  # steps that are looked at
MAX_HOPS = 500


def arriving(broker: Broker, scenario: Scenario, queue: str) -> Content:
    """What the steps publish, if it gets there, be it as a dead letter; else what some exchange would let through; else what is
    published to the queue by its name. `broker` is a copy that may be changed."""
    for contents in (_published(scenario), _let_through(broker, queue)):
        found = _first_in(broker, queue, contents)
        if found is not None:
            return found
    return Content(DEFAULT_EXCHANGE, queue, (queue,), None, "")


def _published(scenario: Scenario) -> Iterator[Content]:
    sent = [step.action.message for step in scenario.steps[:MAX_PUBLISHES] if isinstance(step.action, PublishMany)]
    yield from (content_of(message) for message in sent)


def _let_through(broker: Broker, queue: str) -> Iterator[Content]:
    """Of each exchange that nothing is bound to from outside, a key by which the queue is reached."""
    for name in broker.exchanges:
        if name == DEFAULT_EXCHANGE or broker.incoming.to("exchange", name):
            continue
        try:
            keys = reach(broker, name).get(queue)
            key = witness(keys, longer=True) if keys is not None else None
        except TooManyStates:
            continue
        if key is not None:
            yield Content(name, key, (key,), None, "")


def _first_in(broker: Broker, queue: str, contents: Iterator[Content]) -> Content | None:
    hops = 0
    for content in contents:
        if content.exchange not in broker.exchanges:
            continue
        todo = [(found, content) for found, _ in route(broker, content.exchange, "?", content).queues]
        seen = {found.name for found, _ in todo}
        for here, arrived in todo:  # grows while it is walked
            if here.name == queue:
                return arrived
            for reason, _ in ways_out(here):
                hops += 1
                if reason == "refused" or hops > MAX_HOPS:
                    continue
                targets, dead, *_ = dead_letter_target(broker, here, arrived, reason)
                todo += [(target, dead) for target in targets if target.name not in seen]
                seen |= {target.name for target in targets}
    return None
