"""Which rows of a trace are shown: a person has asked for some. Nothing else of a run depends on it."""

from typing import Any

from routesim import events
from routesim.named_tuples import NamedTuple

# What sets the stage, and is seldom what one looks for.
STAGE = frozenset({
    events.ExchangeDeclared, events.QueueDeclared, events.Bound, events.Unbound, events.PolicySet, events.PolicyDeleted,
    events.ConsumerStarted, events.ConsumerCancelled, events.ConsumerActive, events.QosSet, events.PoolResized,
})  # fmt: skip
# What befalls everybody, and what is checked: of no message, and never left out for that.
EVERYBODYS = frozenset({events.Restarted, events.FailureOrdered, events.SetBack, events.Expected})
OF_WORKERS = ("celeryev", ".pidbox", "reply.celery")  # parts of the names under which workers talk to each other


class RowFilter(NamedTuple):
    """Of each kind one of the names must fit; empty: any. `stage` False: without what sets the stage, and without what workers
    say to each other."""

    messages: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    stage: bool = True

    @property
    def asks(self) -> bool:
        return bool(self.messages or self.queues or self.consumers or not self.stage)

    def shows(self, event: Any) -> bool:
        if type(event) in EVERYBODYS:
            return True
        if not self.stage and (type(event) in STAGE or _of_workers(event)):
            return False
        return (
            _fits(self.messages, event, ("message", "task"))
            and (_fits(self.queues, event, ("queue",)) or _binds(self.queues, event))
            and (not self.consumers or any(_is(name, event) for name in self.consumers))
        )

    def described(self) -> str:
        """As it was asked for."""
        parts = [
            f"--{option} {name}"
            for option, names in (("message", self.messages), ("queue", self.queues), ("consumer", self.consumers))
            for name in names
        ]
        return " ".join([*parts, *([] if self.stage else ["--hide-infrastructure"])])


def _fits(names: tuple[str, ...], event: Any, fields: tuple[str, ...]) -> bool:
    return not names or any(getattr(event, field, None) in names for field in fields)


def _binds(names: tuple[str, ...], event: Any) -> bool:
    binding = getattr(event, "binding", None)
    return binding is not None and binding.destination in names


def _is(name: str, event: Any) -> bool:
    """Whether it is about this consumer, or about this worker, whose consumers are called `worker:queue`."""
    for field in ("consumer", "by", "worker", "connection", "channel"):
        value = getattr(event, field, None)
        if isinstance(value, str) and (value == name or value.startswith((f"{name}:", f"{name} ("))):
            return True
    return False


def _of_workers(event: Any) -> bool:
    binding = getattr(event, "binding", None)
    places = [getattr(event, field, None) for field in ("queue", "exchange")]
    places += [binding.source, binding.destination] if binding is not None else []
    return any(isinstance(place, str) and of_workers(place) for place in places)


def of_workers(name: str) -> bool:
    """Whether an exchange, a queue or a consumer of this name is there for workers to talk to each other."""
    return any(part in name for part in OF_WORKERS)
