"""The sections `routes` and `never`: where a message would go, and what must not be so at any time."""

from collections.abc import Iterable

from routesim.broker import Broker
from routesim.broker.asking import would_reach
from routesim.broker.routing import Visit
from routesim.model import Message
from routesim.scenario.format.expected import CLAIMS
from routesim.scenario.format.kinds import Reader
from routesim.scenario.format.shapes import Fields
from routesim.scenario.scenario import ExpectedRoute, Never
from routesim.scenario.sections import values_of
from routesim.scenario.sections.names import Names
from routesim.scenario.yaml.nodes import Text


def routes(reader: Reader, names: Names, rows: Iterable[Fields], topology: Broker | None) -> tuple[ExpectedRoute, ...]:
    """One `ExpectedRoute` a row. What it names must be declared at the top, for that is what it is checked against."""
    found = []
    by_chance = topology is not None and any(state.matcher.by_chance for state in topology.exchanges.values())
    for fields in rows:
        queues = fields.get("queues", ())
        if topology is not None:
            if fields.get("exchange"):
                _at_the_top(reader, names, "exchange", fields["exchange"], topology)
            for queue in queues:
                _at_the_top(reader, names, "queue", queue, topology)
        message = values_of.message(fields)
        if by_chance and topology is not None and _by_chance(topology, message):
            reader.error(
                "wrong-value", "chance decides where this goes: it has no one route", fields.node,
                "publish it, and `expect` what holds however the draw falls out",
            )  # fmt: skip
        found.append(ExpectedRoute(fields.node.line, message, tuple(str(queue) for queue in queues)))
    return tuple(found)


def _at_the_top(reader: Reader, names: Names, what: str, name: Text, topology: Broker) -> None:
    if name in (topology.exchanges if what == "exchange" else topology.queues):
        return
    if str(name) not in (names.exchanges if what == "exchange" else names.queues):
        (names.exchange if what == "exchange" else names.queue)(str(name), name)
    elif not reader.failed:  # else it may be that its declaration could not be carried out
        problem = f"{what} '{name}' is not there at the top, and routes are checked against what is declared there"
        reader.error(f"unknown-{what}", problem, name, "declare it at the top, or publish after that step and `expect`")


def _by_chance(topology: Broker, message: Message) -> bool:
    if message.exchange not in topology.exchanges:
        return False
    visits: list[Visit] = []
    would_reach(topology, message, "", visits)
    return any(topology.exchanges[visit.exchange].matcher.by_chance for visit in visits)


def never(reader: Reader, names: Names, rules: Iterable[Fields]) -> tuple[Never, ...]:
    """One `Never` a rule. Queues and messages in it must exist somewhere in the scenario."""
    found = []
    for fields in rules:
        claims = [claim for claim in CLAIMS if claim in fields.node]
        for queue in (*fields.get("reaches", ()), *fields.get("queues", ())):
            names.queue(str(queue), queue)
        for message in fields.get("messages", ()):
            names.message(str(message), message)
        if not claims:
            reader.error("missing-key", f"a rule of never needs one of {', '.join(CLAIMS)}", fields.node)
            continue
        if len(claims) > 1:
            reader.error(
                "wrong-value", f"one rule says one thing, found {' and '.join(claims)}", fields.node,
                "begin the second one with its own '- '",
            )  # fmt: skip
            continue
        what = claims[0]
        if what == "reaches" and "queues" in fields:
            reader.error("wrong-value", "reaches names its queues itself", fields.node, "put them into reaches")
        for name in ("reaches", "queues", "messages"):
            if name in fields and not fields[name]:
                reader.error("wrong-value", f"an empty {name} forbids nothing", fields.node, "name one, or take it out")
        if what in fields:
            queues = fields[what] if what == "reaches" else fields.get("queues", ())
            limit = fields[what] if what in ("delivered", "waits") else None
            texts = tuple(str(queue) for queue in queues), tuple(str(item) for item in fields.get("messages", ()))
            found.append(Never(fields.node.line, what, limit, *texts))
    return tuple(found)
