"""Below the row of a loss: why nothing took the message, the binding that came nearest, and the command that tells more."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from routesim import events
from routesim.broker import Broker
from routesim.content import Content
from routesim.exchanges import EXCHANGE_TYPES, ExchangeType
from routesim.exchanges.delayed import DelayedMessage
from routesim.model import Binding, Exchange
from routesim.scenario import Scenario, sent_by
from routesim.scenario.engines import topology
from routesim.scenario.yaml.source import SHOWN_STDIN
from routesim.values import table_identity

if TYPE_CHECKING:
    from routesim.model import Message

ASK = "ask: "  # before a command
MOST = 5  # losses of which more is said; of one kind from one place the first
MOST_HOPS = 20  # exchanges on the way that are looked at
CHANGES = frozenset({events.StepStarted, events.Bound, events.Unbound, events.ExchangeDeclared})


class WhyNot:
    """Of one scenario. `hear` wants the events of `CHANGES`, for bindings that steps make or take away."""

    most = MOST

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.in_steps = False
        self.changes: list[Any] = []
        self.said: set[tuple[str, ...]] = set()
        self.at_top: Broker | None = None

    def hear(self, event: Any) -> None:
        if type(event) is events.StepStarted:
            self.in_steps = True
        elif self.in_steps:
            self.changes.append(event)

    def has_said(self, event: Any) -> bool:
        """Whether there is nothing else to say of it, or all has been said of another one before."""
        kind = self._kind(event)
        return kind is None or kind in self.said or len(self.said) >= self.most

    def lines(self, event: Any) -> list[str]:
        """What else is to be said of a loss, a line each; nothing where the same has been said of another one before."""
        kind = self._kind(event)
        if kind is None or self.has_said(event):
            return []
        self.said.add(kind)
        near = self._nearest(event)
        asked = self._ask(event)
        return [*([near] if near else []), *([f"{ASK}{asked}"] if asked else [])]

    def _kind(self, event: Any) -> tuple[str, ...] | None:
        if isinstance(event, events.Unroutable):
            return None if event.returned else ("unroutable", event.exchange, event.routing_key)
        if isinstance(event, events.Dropped):
            return ("dropped", event.queue, event.reason)
        if isinstance(event, events.TaskLost):
            return ("task", event.worker)
        if isinstance(event, (events.LostByConsumer, events.LostAtRestart)):
            return (events.EVENTS[type(event)], event.queue)
        return None

    def _ask(self, event: Any) -> str:
        """The command that tells more, as it is typed."""
        file = self.scenario.file
        if file == SHOWN_STDIN:
            return ""
        if isinstance(event, events.Unroutable):
            words = ["route", file, event.exchange, event.routing_key] if event.exchange else ["route", file, event.routing_key]
        elif isinstance(event, events.TaskLost):
            words = ["task", file, event.task]
        else:
            words = ["message", file, event.message]
        import shlex

        return f"routesim explain {shlex.join(words)}"

    # The nearest binding -------------------------------------------------------------------------------------------------

    def _nearest(self, event: Any) -> str:
        if isinstance(event, events.Unroutable) and event.exchange:
            return self._on_the_way(event.exchange, event.routing_key, event.message)
        if isinstance(event, events.Dropped):
            queue = self._topology().queues.get(event.queue)
            exchange = queue.settings.dead_letter_exchange if queue is not None else None
            if queue is not None and exchange:
                sent = self._sent(event.message)
                key = queue.settings.dead_letter_routing_key
                return self._on_the_way(exchange, key if key is not None else sent.routing_key if sent else "", event.message)
        return ""

    def _on_the_way(self, start: str, key: str, message: str) -> str:
        """Of the exchanges to which the message came, the first that has no binding for it."""
        sent = self._sent(message)
        content = Content(start, key, (key,), sent.headers if sent is not None else None, "")
        if sent is None and self._type(start) == "headers":
            return ""
        todo = [start]
        for name in todo:  # grows while it is walked
            if len(todo) > MOST_HOPS:
                return ""
            matcher, bindings = self._matcher(name), list(self._bindings(name))
            if matcher is None:
                continue
            hits = [binding for binding in bindings if matcher.why(binding, message, content).match]
            if not hits:
                from routesim.explain.keys.near_misses import why_not  # only who has lost something pays for it

                return why_not(matcher, bindings, content)
            hops = [hit.destination for hit in hits if hit.destination_type == "exchange"]
            todo += [hop for hop in dict.fromkeys(hops) if hop not in todo]
        return ""

    def _matcher(self, exchange: str) -> ExchangeType | None:
        kind = self._type(exchange)
        if kind not in EXCHANGE_TYPES:
            return None
        state = self._topology().exchanges.get(exchange)
        if state is not None and state.declared.type == kind:
            return EXCHANGE_TYPES[kind](state.declared, self._topology().rules)
        if kind == DelayedMessage.name:  # what it does stands in its arguments, of which no event tells
            return None
        return EXCHANGE_TYPES[kind](Exchange(exchange, kind), self._topology().rules)

    def _type(self, exchange: str) -> str:
        for change in reversed(self.changes):
            if isinstance(change, events.ExchangeDeclared) and change.exchange == exchange:
                return change.type
        state = self._topology().exchanges.get(exchange)
        return state.declared.type if state is not None else ""

    def _bindings(self, exchange: str) -> Iterator[Binding]:
        """Those of an exchange at this moment."""
        state = self._topology().exchanges.get(exchange)
        found = {_identity(binding): binding for binding in (state.bindings.values() if state is not None else ())}
        for change in self.changes:
            if isinstance(change, events.Bound) and change.binding.source == exchange:
                found[_identity(change.binding)] = change.binding
            elif isinstance(change, events.Unbound):
                found.pop(_identity(change.binding), None)
        return iter(found.values())

    def _topology(self) -> Broker:
        if self.at_top is None:
            self.at_top = topology(self.scenario)
        return self.at_top

    def _sent(self, message: str) -> "Message | None":
        return sent_by(self.scenario, message)


class WhyNotNow(WhyNot):
    """Of a broker whose clients declare and bind as they like: it is looked at as it is at this moment."""

    most = 1_000

    def __init__(self, broker_now: Callable[[], Broker]) -> None:
        self.changes: list[Any] = []
        self.said: set[tuple[str, ...]] = set()
        self.broker_now = broker_now

    def hear(self, event: Any) -> None:
        """The broker itself knows."""

    def _ask(self, event: Any) -> str:
        return ""

    def _topology(self) -> Broker:
        return self.broker_now()

    def _sent(self, message: str) -> "Message | None":
        return None


def _identity(binding: Binding) -> tuple[Any, ...]:
    """Equal where RabbitMQ takes two bindings for one (rules/routing#B1)."""
    return (*binding[:4], table_identity(binding.arguments))
