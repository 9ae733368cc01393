"""The section `routes` against what is declared, and its rows and the rules of `never` in words."""

from routesim.broker import Broker
from routesim.broker.asking import would_reach
from routesim.durations import duration_text
from routesim.model import Binding
from routesim.run.expecting.checked import Checked, shown_value
from routesim.scenario import ExpectedRoute, Never
from routesim.values import plain


def check_routes(broker: Broker, rows: tuple[ExpectedRoute, ...]) -> tuple[list[Checked], list[Binding]]:
    """Each row against what is declared now, and the bindings that were used."""
    if not rows:
        return [], []
    found: list[Checked] = []
    used: list[Binding] = []
    names = {queue: number for number, queue in enumerate(broker.queues)}
    for row in rows:
        route = would_reach(broker, row.message, "")
        used += route.matched
        reached = sorted((queue.name for queue, _ in route.queues), key=names.__getitem__)
        text = f"{described(row)} reaches {shown_value(row.queues)}"
        found.append(Checked(row.line, text, set(reached) == set(row.queues), reached, row))
    return found, used


def described(row: ExpectedRoute) -> str:
    """The message of a row in words: `ship.shoes to shop`."""
    message = row.message
    parts = [message.routing_key or '""'] if message.routing_key or not message.headers else []
    parts += [f"{{{', '.join(f'{name}: {plain(value)}' for name, value in message.headers.items())}}}"] if message.headers else []
    return f"{' '.join(parts)} to {message.exchange or 'the default exchange'}"


def said(rule: Never) -> str:
    """The rule as a sentence: `no copy of m1 reaches parked`."""
    who = f"no copy of {', '.join(rule.messages)}" if rule.messages else "no message"
    queues = ", ".join(rule.queues)
    if rule.what == "reaches":
        return f"{who} reaches {queues}"
    if rule.what == "lost":
        return f"{who} is lost" + (f" from {queues}" if queues else "")
    operator, number = rule.limit or (">", 0)
    if rule.what == "delivered":
        return f"{who} is delivered {operator} {number} times" + (f" from {queues}" if queues else "")
    return f"{who} waits {operator} {duration_text(number)}" + (f" in {queues}" if queues else "")
