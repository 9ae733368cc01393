"""The arguments of basic.consume: which type of queue takes them, since and until when, what is checked (rules/queues#3.1)."""

from collections.abc import Callable
from typing import Any

from routesim.named_tuples import NamedTuple
from routesim.replies import AmqpError
from routesim.values import Table, Value, erlang_term, is_integer, raw, wire_type
from routesim.versions import Rules


class ConsumerArgument(NamedTuple):
    """`check`: None when the value is fine, else the Erlang term of the error; a type checks what has none itself. `since`: the
    version that came to know it. `exists`: a named difference that decides as well."""

    kinds: tuple[str, ...]
    check: Callable[[Value, Rules], Any] | None = None
    since: str = ""
    exists: Callable[[Rules], bool] = lambda rules: True


def _integer(value: Value, rules: Rules) -> Any:
    return None if is_integer(value) else f'"expected integer, got {wire_type(value)}"'


def _timeout(value: Value, rules: Rules) -> Any:
    if not rules.consumer_timeouts_checked:
        return None
    return _integer(value, rules) or (("value_negative", raw(value)) if raw(value) < 0 else None)


def _boolean(value: Value, rules: Rules) -> Any:
    return None if wire_type(value) == "bool" else ("unacceptable_type", wire_type(value))


CONSUMER_ARGUMENTS = {
    "x-priority": ConsumerArgument(("classic", "quorum"), _integer),
    "x-cancel-on-ha-failover": ConsumerArgument(("classic",), _boolean, exists=lambda rules: rules.cancel_on_ha_failover),
    "x-consumer-timeout": ConsumerArgument(("quorum",), _timeout, since="4.3.0"),
    "x-stream-offset": ConsumerArgument(("stream",)),
    "x-stream-filter": ConsumerArgument(("stream",), since="3.13.0"),
    "x-stream-match-unfiltered": ConsumerArgument(("stream",), since="3.13.0"),
}


def check_consumer_arguments(kind: str, where: str, arguments: Table, rules: Rules) -> None:
    """Raises the `AmqpError` that RabbitMQ answers: a wrong value before an argument that the type does not take."""
    known = {
        name: argument
        for name, argument in CONSUMER_ARGUMENTS.items()
        if name in arguments and rules.is_at_least(argument.since) and argument.exists(rules)
    }
    for name, argument in known.items():
        wrong = argument.check(arguments[name], rules) if kind in argument.kinds and argument.check else None
        if wrong is not None:
            text = wrong if isinstance(wrong, str) else erlang_term(wrong)
            raise AmqpError(406, f"invalid arg '{name}' for {where}: {text}", argument=name)
    for name in arguments:
        if name in known and kind not in known[name].kinds:
            raise AmqpError(406, f"invalid arg '{name}' for {where} of queue type rabbit_{kind}_queue", argument=name)
