"""Why a message reaches a queue, or does not: the bindings that lead there, or that would."""

from collections.abc import Collection
from typing import Any

from routesim.broker import Broker
from routesim.broker.asking import content_of, would_reach
from routesim.broker.routing import Visit
from routesim.explain.answer import quoted
from routesim.explain.routes.types import shown_table
from routesim.model import DEFAULT_EXCHANGE, Binding, Message
from routesim.scenario import Scenario
from routesim.steps import Bind

MAX_NAMED = 3  # bindings from elsewhere


class Ways:
    """Reasons as parts of sentences, each binding with its line in the scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.lines = {id(item.step.binding): item.line for item in scenario.declarations if isinstance(item.step, Bind)}

    def there(self, broker: Broker, sent: Message, queue: str) -> str:
        """Of a queue that the message reaches."""
        path = next(path for reached, path in would_reach(broker, sent, "").queues if reached.name == queue)
        hops = [
            f"binding {self.named(hop)} matches"
            if isinstance(hop, Binding)
            else f"nothing of '{hop.source}' matches, which leads to its alternate exchange '{hop.destination}'"
            for hop in path
        ]
        return ", then ".join(hops) or "the routing key is its name"

    def not_there(self, broker: Broker, sent: Message, queue: str) -> str:
        """The nearest reason why the message does not reach a queue: the binding that would have led to it."""
        if sent.exchange == DEFAULT_EXCHANGE:
            return f"the default exchange takes {quoted(sent.routing_key)} for the name of a queue"
        if sent.exchange not in broker.exchanges:
            return f"there is no exchange '{sent.exchange}'"
        visits: list[Visit] = []
        route = would_reach(broker, sent, "", visits)
        if any(reached.name == queue for reached, _ in route.queues):
            return "its publish was not carried out as far as that"
        content = content_of(sent)
        seen = {visit.exchange: number for number, visit in enumerate(visits)}
        straight = [binding for binding in broker.incoming.to("queue", queue) if binding.source in seen]
        way = min(straight, key=lambda binding: seen[binding.source], default=None) or self._way(broker, seen, queue)
        if way is None:
            return f"no binding leads there from exchange '{sent.exchange}'{self._from_elsewhere(broker, queue)}"
        return f"binding {self.named(way)}: {broker.exchanges[way.source].matcher.why(way, '', content).text}"

    def named(self, binding: Binding) -> str:
        """`ship.* of 'shop' (line 4)`."""
        shown = shown_table(binding.arguments) if binding.arguments else quoted(binding.routing_key)
        line = self.lines.get(id(binding))
        return f"{shown} of '{binding.source}'" + (f" (line {line})" if line else "")

    def _from_elsewhere(self, broker: Broker, queue: str) -> str:
        """What is bound to the queue, as the end of a sentence."""
        bound = broker.incoming.to("queue", queue)
        if not bound:
            return ", nor from any other: only the default exchange reaches it, by its name"
        more = f" and {len(bound) - MAX_NAMED} more" if len(bound) > MAX_NAMED else ""
        return f"; it is bound by {', '.join(map(self.named, bound[:MAX_NAMED]))}{more}"

    def _way(self, broker: Broker, seen: Collection[str], queue: str) -> Binding | None:
        """The binding by which a chain of exchanges that ends in the queue begins at one that the message came through."""
        todo, known = [("queue", queue)], {("queue", queue)}
        for end in todo:  # grows while it is walked
            for binding in broker.incoming.to(*end):
                if binding.source in seen:
                    return binding
                before = ("exchange", binding.source)
                if before not in known:
                    known.add(before)
                    todo.append(before)
        return None


def missing_and_extra(wanted: Any, actual: Any) -> tuple[str | None, str | None]:
    """Of two lists of names, the first that one of them lacks."""
    if not isinstance(wanted, tuple) or not isinstance(actual, list):
        return None, None
    missing = next((item for item in wanted if item not in set(actual)), None)
    return missing, next((item for item in actual if item not in set(wanted)), None)
