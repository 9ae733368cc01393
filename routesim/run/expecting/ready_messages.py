"""What is expected of a ready message: the flag and the headers that its next delivery will have."""

from typing import Any

from routesim.broker.protocols import Engine, EngineQueue
from routesim.carried import ACQUIRED_COUNT, DELIVERY_COUNT, MISSING, count_in, died, is_comparison, is_held, is_same, value_at
from routesim.comparisons import holds, shown
from routesim.queues import Copy
from routesim.run.expecting.checked import Checked, shown_value
from routesim.scenario import Expectation
from routesim.values import Table, plain

NOT_READY = "not ready"
COUNTS = {"delivery_count": DELIVERY_COUNT, "acquired_count": ACQUIRED_COUNT}


def is_of_ready(expectation: Expectation) -> bool:
    return expectation.path[0] == "queues" and expectation.path[2] == "messages"


def of_ready(expectation: Expectation, broker: Engine, step: int | None) -> Checked:
    """Against the first ready copy of the message, in the order of delivery."""
    path, wanted = expectation.path, expectation.wanted
    text = f"{'.'.join(path)} is {shown(wanted) if is_comparison(wanted) else shown_value(plain(wanted))}"
    queue = broker.queues.get(path[1])
    copy = None if queue is None else next((item for item in queue.ready() if item.message == path[3]), None)
    if queue is None or copy is None:
        return Checked(expectation.line, text, False, NOT_READY, expectation, step)
    found, ok = _found(expectation, queue, copy, queue.headers(copy))
    return Checked(expectation.line, text, ok, found, expectation, step)


def _found(expectation: Expectation, queue: EngineQueue, copy: Copy, headers: Table) -> tuple[Any, bool]:
    field, wanted, asked = expectation.path[4], expectation.wanted, expectation.asked
    if field == "redelivered":
        flag = copy.redelivered and not queue.keeps_log
        return flag, flag is wanted
    if field == "has_header":
        return asked in headers, asked in headers
    if field in ("header", "headers"):
        value = value_at(headers, asked) if field == "header" else headers.get(asked, MISSING)
        same = is_held(value, wanted) if field == "header" else is_same(value, wanted)
        return None if value is MISSING else plain(value), same
    number = count_in(headers, COUNTS[field]) if field in COUNTS else died(headers, asked)
    return number, holds(number, wanted)
