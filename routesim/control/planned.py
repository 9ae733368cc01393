"""A plan of failures, carried out in the server's time: the same each time, for the same seed."""

from collections.abc import Callable
from random import Random

from routesim.durations import duration_text
from routesim.scenario.failure_plan import FailurePlan, Planned
from routesim.serve.failing import Order
from routesim.serve.server import Server


def begin(server: Server, plan: FailurePlan, tell: Callable[[str], object]) -> None:
    """`tell`: is told where a failure finds nobody to befall."""
    dice = Random(plan.seed)

    def put(planned: Planned, wait_ms: int) -> None:
        server.later(wait_ms, lambda: carry_out(planned))

    def carry_out(planned: Planned) -> None:
        if planned.chance >= 1 or dice.random() < planned.chance:
            _fail(server, plan, planned, planned.ends, tell)
            if planned.for_ms is not None and not planned.ends:
                server.later(planned.for_ms, lambda: _fail(server, plan, planned, True, tell))
        if planned.every_ms is not None:
            put(planned, planned.every_ms)

    for each in plan.failures:
        put(each, each.at_ms if each.at_ms is not None else each.every_ms or 0)


def _fail(server: Server, plan: FailurePlan, planned: Planned, ends: bool, tell: Callable[[str], object]) -> None:
    options = {} if ends else planned.options
    try:
        server.fail(Order(planned.failure, planned.target, planned.vhost, ends, options))
    except LookupError as problem:
        tell(f"note: {plan.file}:{planned.line}: at {duration_text(server.at_ms)} {problem.args[0]}")
