"""What no field of a declaration shows by itself, before a broker is asked."""

from typing import Any

from routesim.diagnostics import did_you_mean
from routesim.exchanges import NOT_SIMULATED
from routesim.model import Consumer, Exchange, Policy, Queue
from routesim.patterns import InvalidPattern, UnreadablePattern, compiled
from routesim.queues.arguments import ARGUMENTS
from routesim.scenario.definitions.unsimulated import unsimulated_exchange, unsimulated_keys
from routesim.scenario.format.kinds import Reader
from routesim.scenario.sections.names import Names
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text
from routesim.values import raw

Fields = dict[str, Any]


def check_consumer(reader: Reader, node: Any, consumer: Consumer) -> None:
    """What no field by itself can show; each finding at the rule that is at fault."""
    written = child(node, "on_message")
    rules_written = written if isinstance(written, Sequence) else [written]
    for rule, at in zip(consumer.on_message, rules_written, strict=False):
        answer = at.get("do", at) if isinstance(at, Mapping) else at
        if at is None or (rule.publish and not isinstance(at, Mapping)):
            continue
        if consumer.auto_ack and rule.do in ("reject", "requeue"):
            reader.error(
                "auto-ack-answer", f"with auto_ack nothing is sent back, so '{rule.do}' cannot be", answer,
                "take out auto_ack, or answer ack, hold or crash",
            )  # fmt: skip
        if rule.do != "crash" and (rule.after is not None or rule.restart is not None):
            word = "after" if rule.after is not None else "restart"
            key = next((item for item in at if item == word), answer)
            reader.error("wrong-value", f"'{word}' belongs to `do: crash`", key)


def check_argument(reader: Reader, name: Text) -> None:
    """That a queue may have an argument of this name."""
    if str(name) not in ARGUMENTS:
        cure = did_you_mean(name, ARGUMENTS) or "arguments are named as in a declaration: x-message-ttl, x-max-length …"
        reader.error("wrong-value", f"queues have no argument '{name}'", name, cure)


def check_deaths(names: Names, node: Node) -> None:
    """The queues of `deaths` must exist somewhere in the scenario."""
    for item in node if isinstance(node, Sequence) else [node]:
        if isinstance(item, Mapping) and "queue" in item:
            names.queue(str(item["queue"]), item["queue"])


def check_policy(names: Names, policy: Policy, at: Any) -> bool:
    """False when it cannot be simulated, which is noted as an error."""
    try:
        compiled(policy.pattern)
    except UnreadablePattern as problem:
        where = child(at, "pattern") or at
        names.reader.error("not-simulated", f"routesim cannot try this pattern: {problem}", where, "write it more plainly")
        return False
    except InvalidPattern:
        pass  # RabbitMQ's own answer follows
    for key, sentence in unsimulated_keys(policy):
        names.reader.warning("not-simulated", sentence, child(at, "definition", key) or at)
    for key in ("dead-letter-exchange", "alternate-exchange"):
        target = raw(policy.definition.get(key))
        written = child(at, "definition", key)
        if isinstance(target, str) and written is not None:
            names.near_miss("exchange", target, written, names.exchanges)
    return True


def check_exchange(names: Names, declared: Exchange, at: Node | None) -> None:
    if at is None:
        return
    if declared.type in NOT_SIMULATED:
        names.reader.error(
            "not-simulated", f"exchanges of type {declared.type} are not simulated: their bindings hold Erlang terms", at,
            "a headers exchange can often say the same",
        )  # fmt: skip
    told = unsimulated_exchange(declared)
    if told is not None:
        names.reader.warning("not-simulated", told, child(at, "type") or at)
    target = raw(declared.arguments.get("alternate-exchange"))
    if isinstance(target, str):
        names.near_miss("exchange", target, child(at, "arguments", "alternate-exchange") or at, names.exchanges)


def check_queue(names: Names, queue: Queue, options: Fields, at: Node | None) -> None:
    if at is None:
        return
    stated = options.get("arguments", {}).get("x-queue-type")
    if "type" in options and stated is not None and stated != str(options["type"]):
        names.reader.error(
            "wrong-value",
            f"type is {options['type']}, but x-queue-type is {raw(stated)}",
            options["type"],
            "give one of them",
        )
    arguments = child(at, "arguments")
    for key in arguments if isinstance(arguments, Mapping) else ():
        if key not in ARGUMENTS:
            cure = did_you_mean(key, ARGUMENTS) or (did_you_mean(f"x-{key}", ARGUMENTS) if not key.startswith("x-") else "")
            if cure:
                names.reader.warning(
                    "unknown-argument", f"no queue reads the argument '{key}'; RabbitMQ stores it silently", key, cure
                )
    target = raw(queue.arguments.get("x-dead-letter-exchange"))
    if isinstance(target, str):
        names.near_miss("exchange", target, child(arguments, "x-dead-letter-exchange") or at, names.exchanges)


def child(node: Node | None, *path: str) -> Any:
    """The node under these keys, or None."""
    for part in path:
        if not isinstance(node, Mapping):
            return None
        node = node.get(part)
    return node
