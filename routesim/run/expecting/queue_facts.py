"""What is expected of a queue itself: what its declaration settled, and the values in force of its arguments."""

from typing import Any

from routesim.broker import Broker
from routesim.carried import is_same
from routesim.queues.settings import SETTING
from routesim.run.expecting.checked import Checked, shown_value
from routesim.scenario import Expectation
from routesim.values import plain, raw

FACTS: dict[str, Any] = {
    "type": lambda queue: queue.kind,
    "durable": lambda queue: queue.durable,
    "exclusive": lambda queue: queue.owner is not None,
    "auto_delete": lambda queue: queue.auto_delete,
}
SET_BY = {argument: sets.name for argument, _, sets in SETTING}


def is_of_argument(expectation: Expectation) -> bool:
    return expectation.path[0] == "queues" and expectation.path[2] == "arguments"


def of_argument(expectation: Expectation, broker: Broker, step: int | None) -> Checked:
    """The value in force, whoever set it; of an argument that no policy can set, what was declared."""
    name, wanted = expectation.asked, expectation.wanted
    text = f"{'.'.join(expectation.path)} is {shown_value(plain(wanted))}"
    queue = broker.queues.get(expectation.path[1])
    if queue is None:
        return Checked(expectation.line, text, False, None, expectation, step)
    if name == "x-queue-type":
        actual: Any = queue.kind
    elif name in SET_BY:
        origin = queue.origins.get(SET_BY[name])
        actual = None if origin is None else origin.value
    else:
        actual = queue.arguments.get(name)
    ok = raw(wanted) is None if actual is None else is_same(actual, wanted)
    return Checked(expectation.line, text, ok, plain(actual), expectation, step)


def set_by(expectation: Expectation, broker: Broker) -> str:
    """Who has set the value in force: argument, policy, operator policy or default; "" where nobody has."""
    queue = broker.queues[expectation.path[1]]
    origin = queue.origins.get(SET_BY.get(expectation.asked, ""))
    return "" if origin is None else f"by its {origin.source}" if origin.source == "argument" else f"by {origin.source}"
