"""Scenarios of any size, each of a kind in which a cost could grow faster than the scenario does."""

from collections.abc import Callable


def _queues(n: int, more: str = "") -> str:
    return "{" + ", ".join(f"q{i}: {{{more}}}" for i in range(n)) + "}"


def _consumers(n: int, what: Callable[[int], str]) -> str:
    return "consumers: {" + ", ".join(f"c{i}: {{{what(i)}}}" for i in range(n)) + "}"


def _scenario(queues: str, steps: list[str], *more: str) -> str:
    return "\n".join([f"queues: {queues}", *more, "steps:", *(f"  - {step}" for step in steps)]) + "\n"


def a_channel_returns_what_it_held(n: int) -> str:
    holder = f"consumers: {{w: {{queue: q, prefetch: {n}, on_message: hold}}}}"
    return _scenario("{q: {}}", [f"publish: {{routing_key: q, count: {2 * n}}}", "crash: w"], holder)


def two_channels_return_by_turns(n: int) -> str:
    gets = [f"get: {{queue: q, channel: {'ab'[i % 2]}}}" for i in range(n)]
    nacks = [f"nack: {{channel: {name}, delivery_tag: 0, multiple: true}}" for name in "ab"]
    return _scenario("{q: {}}", [f"publish: {{routing_key: q, count: {n}}}", *gets, *nacks])


def connections_of_many_queues_are_lost(n: int, more: str = "") -> str:
    steps = [f"publish: {{routing_key: q{i}}}" for i in range(n)] + [f"crash: c{i}" for i in range(n)]
    return _scenario(_queues(n, more), steps, _consumers(n, lambda i: f"queue: q{i}, takes: 1ms"))


def connections_of_many_quorum_queues_are_lost(n: int) -> str:
    return connections_of_many_queues_are_lost(n, "type: quorum")


def a_policy_for_each_queue(n: int) -> str:
    policies = [f"  - {{name: p{i}, pattern: '^q{i}$', definition: {{max-length: 10}}, apply-to: queues}}" for i in range(n)]
    return _scenario(_queues(n), ["publish: {routing_key: q1}"], "policies:", *policies)


def a_queue_expected_for_each_consumer(n: int) -> str:
    steps = [f"publish: {{routing_key: q{i}}}" for i in range(n)]
    text = _scenario(_queues(n), steps, _consumers(n, lambda i: f"queue: q{i}, on_message: hold"))
    return text + "expect:\n  queues:\n" + "".join(f"    q{i}: {{ready: 0, unacked: 1}}\n" for i in range(n))


def acks_by_message(n: int) -> str:
    steps = [f"publish: {{routing_key: q, id: m{i}}}" for i in range(n)] + ["get: {queue: q, channel: a}"] * n
    return _scenario("{q: {}}", steps + [f"ack: {{channel: a, message: m{i}}}" for i in range(n)])


def acks_of_one_and_all_before(n: int) -> str:
    steps = [f"publish: {{routing_key: q, count: {n}}}"] + ["get: {queue: q, channel: a}"] * n
    return _scenario("{q: {}}", steps + [f"ack: {{channel: a, delivery_tag: {i + 1}, multiple: true}}" for i in range(n)])


KINDS = [
    a_channel_returns_what_it_held, two_channels_return_by_turns, connections_of_many_queues_are_lost,
    connections_of_many_quorum_queues_are_lost, a_policy_for_each_queue, a_queue_expected_for_each_consumer, acks_by_message,
    acks_of_one_and_all_before,
]  # fmt: skip
