"""The arguments of basic.consume: which type of queue takes them, since and until when, what is checked (rules/queues#3.1)."""

from collections.abc import Callable
from typing import Any, NamedTuple

from routesim.replies import AmqpError
from routesim.values import Table, Value, erlang_term, is_integer, raw, wire_type
from routesim.versions import Rules


class ConsumerArgument(NamedTuple):
    """`check`: None when the value is fine, else the Erlang term of the error; a type checks what has none itself. `added`:
    only where `Rules.consumer_arguments_added` names it."""

    kinds: tuple[str, ...]
    check: Callable[[Value], Any] | None = None
    added: bool = False


def _integer(value: Value) -> Any:
    return None if is_integer(value) else f'"expected integer, got {wire_type(value)}"'


def _not_negative(value: Value) -> Any:
    return _integer(value) or (("value_negative", raw(value)) if raw(value) < 0 else None)


def _boolean(value: Value) -> Any:
    return None if wire_type(value) == "bool" else ("unacceptable_type", wire_type(value))


CONSUMER_ARGUMENTS = {
    "x-priority": ConsumerArgument(("classic", "quorum"), _integer),
    "x-cancel-on-ha-failover": ConsumerArgument(("classic",), _boolean, added=True),
    "x-consumer-timeout": ConsumerArgument(("quorum",), _not_negative, added=True),
    "x-stream-offset": ConsumerArgument(("stream",)),
    "x-stream-filter": ConsumerArgument(("stream",), added=True),
    "x-stream-match-unfiltered": ConsumerArgument(("stream",), added=True),
}


def check_consumer_arguments(kind: str, where: str, arguments: Table, rules: Rules) -> None:
    """Raises the `AmqpError` that RabbitMQ answers: a wrong value before an argument that the type does not take."""
    known = {
        name: argument
        for name, argument in CONSUMER_ARGUMENTS.items()
        if name in arguments and (not argument.added or name in rules.consumer_arguments_added)
    }
    for name, argument in known.items():
        wrong = argument.check(arguments[name]) if kind in argument.kinds and argument.check else None
        if wrong is not None:
            text = wrong if isinstance(wrong, str) else erlang_term(wrong)
            raise AmqpError(406, f"invalid arg '{name}' for {where}: {text}", argument=name)
    for name in arguments:
        if name in known and kind not in known[name].kinds:
            raise AmqpError(406, f"invalid arg '{name}' for {where} of queue type rabbit_{kind}_queue", argument=name)
