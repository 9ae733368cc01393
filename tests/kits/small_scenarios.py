"""Random scenarios that are small enough to be explored whole, with much of what a broker, consumers and publishers can do."""

import random

QUEUES = ["", "type: quorum", "type: quorum", "durable: false", "auto_delete: true"]
ARGUMENTS = [
    "", "", "x-dead-letter-exchange: '', x-dead-letter-routing-key: dead", "x-dead-letter-exchange: '', x-dead-letter-routing-key: b",
    "x-max-length: 1", "x-message-ttl: 1000", "x-single-active-consumer: true", "x-message-ttl: 0",
    "x-max-length: 1, x-dead-letter-exchange: '', x-dead-letter-routing-key: dead",
    "x-message-ttl: 1000, x-dead-letter-exchange: '', x-dead-letter-routing-key: dead",
]  # fmt: skip
RULES = [
    "ack", "ack", "ack", "reject", "hold", "[{redelivered: false, do: requeue}, {do: ack}]",
    "[{attempt: 1, do: crash, restart: 1s}, {do: ack}]", "[{do: ack, publish: [{routing_key: b, id: made}]}]",
    "[{do: ack, publish: [{routing_key: dead}]}]",
]  # fmt: skip


def small_scenario(number: int) -> tuple[str, int]:
    """Its text, and how many failures there may be."""
    dice = random.Random(number)
    queues = [f"  {name}: {{{_queue(dice, name)}}}" for name in ("a", "b")]
    transient = any("durable: false" in line for line in queues)
    version = dice.choice(["3.13", "4.0", "4.0"] if transient else ["3.13", "4.0", "4.3", "4.3"])
    lines = [f"rabbitmq: '{version}'", "exchanges: {f: fanout}"]
    lines.append(
        dice.choice(["channels: {one: {connection: k}, two: {connection: k}}", "channels: {one: {confirms: false}}", ""])
    )
    lines.append("queues:")
    lines += queues
    lines.append("  dead:")
    lines.append("bindings: [{source: f, destination: a}, {source: f, destination: b}]")
    lines.append("consumers:")
    consumers = dice.choice([1, 2, 2, 3])
    for index in range(consumers):
        parts = [f"queue: {dice.choice(['a', 'a', 'b', 'dead'])}", f"takes: {dice.choice([0, 0, 1, 2])}s"]
        parts += [dice.choice(["prefetch: 1", "prefetch: 2, concurrency: 2", "prefetch: 2"])]
        parts += [dice.choice(["auto_ack: true, on_message: ack", *(f"on_message: {rule}" for rule in RULES)])]
        parts += dice.choice([[], [], [], ["channel: one"], ["channel: two"]])
        lines.append(f"  c{index}: {{{', '.join(parts)}}}")
    lines.append("steps:")
    for index in range(dice.choice([1, 2, 2] if consumers > 2 else [1, 2, 3])):
        route = dice.choice(["routing_key: a", "routing_key: a", "routing_key: b", "exchange: f"])
        channel = dice.choice(["", "", ", channel: other", ", channel: one"])
        lines.append(f"  - publish: {{{route}, id: m{index}, delivery_mode: {dice.choice([1, 2])}{channel}}}")
        if dice.random() < 0.15:
            lines.append(dice.choice(["  - get: {queue: dead, channel: taker}", "  - wait: 1s", "  - get: {queue: b}"]))
    return "\n".join(lines) + "\n", dice.choice([0, 1, 1, 2] if consumers < 3 else [0, 1])


def _queue(dice: random.Random, name: str) -> str:
    kind = dice.choice(QUEUES)
    arguments = dice.choice(ARGUMENTS)
    if name == "b":
        arguments = arguments.replace("key: b", "key: dead")
    return ", ".join(part for part in (kind, f"arguments: {{{arguments}}}" if arguments else "") if part)
