"""Scenarios and definitions of any size, each of a kind in which a cost could grow faster than it does."""

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

MOST = 4.6  # times as much for four times the size: a sort or a heap on the way is paid for


def operations(act: Callable[[], object]) -> int:
    """How many bytecodes Python carries out."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if event == "call":
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
        elif event == "opcode":
            count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


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


def single_active_consumers_are_lost(n: int, more: str = "") -> str:
    """The last to have come goes first: whoever takes over is not simply the next one."""
    consumers = _consumers(n, lambda i: f"queue: q, prefetch: 1, takes: 1s, arguments: {{x-priority: {i % 7}}}")
    steps = ["publish: {routing_key: q, count: 10}"] + [f"crash: c{i}" for i in reversed(range(n))]
    return _scenario(f"{{q: {{{more}arguments: {{x-single-active-consumer: true}}}}}}", steps, consumers)


def single_active_consumers_of_a_quorum_queue_are_lost(n: int) -> str:
    return single_active_consumers_are_lost(n, "type: quorum, ")


def many_get_from_a_quorum_queue(n: int) -> str:
    steps = [f"publish: {{routing_key: q, count: {n}}}"] + ["get: {queue: q, channel: a}"] * n
    return _scenario("{q: {type: quorum}}", [*steps, "nack: {channel: a, delivery_tag: 0, multiple: true}"])


def rules_about_one_message_each(n: int) -> str:
    rules = ", ".join(f"{{message: m{i}, do: ack}}" for i in range(n))
    steps = [f"publish: {{routing_key: q, id: m{i}}}" for i in range(n)]
    return _scenario("{q: {}}", steps, f"consumers: {{w: {{queue: q, on_message: [{rules}, {{do: ack}}]}}}}")


def a_chain_of_exchanges(n: int) -> str:
    chain = "".join(f"  - {{source: e{i}, destination: e{i + 1}, destination_type: exchange}}\n" for i in range(n))
    exchanges = "exchanges: {" + ", ".join(f"e{i}: fanout" for i in range(n + 1)) + "}"
    bindings = f"bindings:\n{chain}  - {{source: e{n}, destination: q}}"
    return _scenario("{q: {}}", ["publish: {exchange: e0, routing_key: a}"], exchanges, bindings)


def _bound_to(n: int, kind: str, key: Callable[[int], str]) -> str:
    """Bindings are made, a message is published, and they are taken away, the newest first."""
    publish = f"publish: {{exchange: x, routing_key: '{key(0)}'}}"
    ends = [f"source: x, destination: q{i}, routing_key: '{key(i)}'" for i in range(n)]
    steps = [f"bind: {{{end}}}" for end in ends] + [publish] + [f"unbind: {{{end}}}" for end in reversed(ends)]
    return _scenario(_queues(n), steps, f"exchanges: {{x: {kind}}}")


def bindings_of_a_fanout_come_and_go(n: int) -> str:
    return _bound_to(n, "fanout", lambda i: "")


def bindings_of_one_key_come_and_go(n: int) -> str:
    return _bound_to(n, "direct", lambda i: "a")


def bindings_of_one_pattern_come_and_go(n: int) -> str:
    return _bound_to(n, "topic", lambda i: "a.*")


def bindings_of_a_ring_come_and_go(n: int) -> str:
    return _bound_to(n, "x-consistent-hash", lambda i: "1")


def a_broker_of_many_consumers_restarts(n: int) -> str:
    steps = [f"publish: {{routing_key: q{i}}}" for i in range(n)]
    return _scenario(_queues(n), [*steps, "restart: clean"], _consumers(n, lambda i: f"queue: q{i}, on_message: hold"))


def connections_of_exclusive_queues_are_lost(n: int) -> str:
    declared = [f"declare: {{channel: c{i}, queues: {{q{i}: {{exclusive: true}}}}}}" for i in range(n)]
    return _scenario("{q: {}}", declared + [f"crash: c{i}" for i in range(n)])


def bindings_on_redis(n: int) -> str:
    bindings = "".join(f"  - {{source: x, destination: q{i}, routing_key: k{i}}}\n" for i in range(n))
    steps = [f"publish: {{exchange: x, routing_key: k{i}}}" for i in range(n)]
    return _scenario(_queues(n), steps, "broker: {kind: redis}", "exchanges: {x: direct}", f"bindings:\n{bindings}")


def consumers_on_redis(n: int) -> str:
    steps = [f"publish: {{routing_key: q{i}}}" for i in range(n)]
    return _scenario(_queues(n), steps, "broker: {kind: redis}", _consumers(n, lambda i: f"queue: q{i}, takes: 1ms"))


def consumers_of_one_queue_on_redis(n: int) -> str:
    consumers = _consumers(n, lambda i: f"queue: q, prefetch: 1, takes: {10 + i % 7}ms")
    return _scenario("{q: {}}", [f"publish: {{routing_key: q, count: {3 * n}, every: 1ms}}"], "broker: {kind: redis}", consumers)


def one_consumer_of_many_messages_on_redis(n: int) -> str:
    publish = f"publish: {{routing_key: q, count: {n}}}"
    return _scenario("{q: {}}", [publish], "broker: {kind: redis}", "consumers: {w: {queue: q, takes: 1ms}}")


def a_slow_subscriber_on_redis(n: int) -> str:
    consumer = "consumers: {w: {queue: q, prefetch: 1, takes: 1ms}}"
    fanout = "exchanges: {x: fanout}\nbindings: [{source: x, destination: q}]"
    return _scenario("{q: {}}", [f"publish: {{exchange: x, count: {n}}}"], "broker: {kind: redis}", fanout, consumer)


def publishes_written_one_by_one(n: int) -> str:
    steps = [f"publish: {{routing_key: q, id: a{i}}}" for i in range(n)]
    return _scenario("{q: {}}", [each for step in steps for each in (step, "publish: {routing_key: q, count: 2}")])


def tasks_of_celery(n: int) -> str:
    workers = "{" + ", ".join(f"w{i}: {{}}" for i in range(10)) + "}"
    head = f"celery: {{apps: {{shop: {{}}}}, tasks: {{work: {{takes: 10ms}}}}, workers: {workers}}}"
    return f"{head}\nsteps:\n  - call: {{task: work, count: {n}, every: 1ms}}\n"


def routes_of_celery(n: int) -> str:
    queues, routes = ", ".join(f"q{i}: " for i in range(n)), ", ".join(f"'t{i}.*': q{i}" for i in range(n))
    app = f"{{shop: {{task_queues: {{{queues}}}, task_routes: {{{routes}}}}}}}"
    tasks = ", ".join(f"t{i}.work: {{takes: 1ms}}" for i in range(n))
    calls = "".join(f"  - call: {{task: t{i}.work}}\n" for i in range(n))
    return f"celery: {{apps: {app}, tasks: {{{tasks}}}, workers: {{w1: {{}}}}}}\nsteps:\n{calls}"


def rules_of_never_about_a_queue_or_message_each(n: int) -> str:
    claims = (
        "reaches: [q{0}], messages: [m{1}]", "lost: true, queues: [q{0}]", "delivered: '> 1', queues: [q{0}]",
        "waits: '> 1s', queues: [q{0}]", "delivered: '> 1', messages: [m{0}]", "waits: '> 1s', messages: [m{0}]",
    )  # fmt: skip
    rules = "".join(f"  - {{{claim.format(i, (i + 1) % n)}}}\n" for i in range(n) for claim in claims)
    steps = [f"publish: {{routing_key: q{i}, id: m{i}}}" for i in range(n)]
    return _scenario(_queues(n), steps, _consumers(n, lambda i: f"queue: q{i}, takes: 1ms"), f"never:\n{rules}")


def _keys_bound(n: int) -> str:
    ends = "".join(f"  - {{source: x, destination: q{i}, routing_key: k{i}}}\n" for i in range(n))
    return f"exchanges: {{x: topic}}\nqueues: {_queues(n)}\nbindings:\n{ends}"


def rows_of_routes_that_fail(n: int) -> str:
    wanted = [f"[q{(i + 1) % n}]" if i % 2 else "[]" for i in range(n)]
    rows = "".join(f"  - {{exchange: x, routing_key: k{i}, queues: {queues}}}\n" for i, queues in enumerate(wanted))
    return f"{_keys_bound(n)}routes:\n{rows}"


def messages_expected_in_other_queues(n: int) -> str:
    steps = "".join(f"  - publish: {{exchange: x, routing_key: k{i}, id: m{i}}}\n" for i in range(n))
    queues = "".join(f"    q{i}: {{ready: [m{(i + 1) % n}]}}\n" for i in range(n))
    return f"{_keys_bound(n)}steps:\n{steps}expect:\n  queues:\n{queues}"


def apps_of_celery(n: int) -> str:
    apps = ", ".join(f"a{i}: {{task_default_queue: q{i}}}" for i in range(n))
    tasks = ", ".join(f"t{i}: {{takes: 1ms, app: a{i}}}" for i in range(n))
    producers = ", ".join(f"p{i}: {{app: a{i}}}" for i in range(n))
    calls = "".join(f"  - call: {{task: t{i}, by: p{i}}}\n" for i in range(n))
    return (
        f"celery:\n  apps: {{{apps}}}\n  tasks: {{{tasks}}}\n  producers: {{{producers}}}\n  workers: {{w1: {{app: a0}}}}\n"
        f"steps:\n{calls}"
    )


KINDS = [
    a_channel_returns_what_it_held, two_channels_return_by_turns, connections_of_many_queues_are_lost,
    connections_of_many_quorum_queues_are_lost, a_policy_for_each_queue, a_queue_expected_for_each_consumer, acks_by_message,
    acks_of_one_and_all_before, single_active_consumers_are_lost, single_active_consumers_of_a_quorum_queue_are_lost,
    many_get_from_a_quorum_queue, rules_about_one_message_each, a_chain_of_exchanges, bindings_of_a_fanout_come_and_go,
    bindings_of_one_key_come_and_go, bindings_of_one_pattern_come_and_go, bindings_of_a_ring_come_and_go,
    a_broker_of_many_consumers_restarts, connections_of_exclusive_queues_are_lost, bindings_on_redis,
    publishes_written_one_by_one, tasks_of_celery, consumers_on_redis, consumers_of_one_queue_on_redis,
    one_consumer_of_many_messages_on_redis, a_slow_subscriber_on_redis, routes_of_celery,
    rules_of_never_about_a_queue_or_message_each, rows_of_routes_that_fail, messages_expected_in_other_queues,
    apps_of_celery,
]  # fmt: skip


# Definitions: what commands read that run nothing ------------------------------------------------------------------------


def _definitions(vhosts: list[str], **sections: list[dict[str, Any]]) -> str:
    return json.dumps({"rabbitmq_version": "4.0.2", "vhosts": [{"name": name} for name in vhosts], **sections}, indent=1)


def _queue(name: str, vhost: str = "/") -> dict[str, Any]:
    return {"name": name, "vhost": vhost, "durable": True, "auto_delete": False, "arguments": {}}


def _exchange(name: str, kind: str, vhost: str = "/") -> dict[str, Any]:
    return {**_queue(name, vhost), "type": kind, "internal": False}


def _binding(source: str, destination: str, key: str, vhost: str = "/") -> dict[str, Any]:
    ends = {"source": source, "vhost": vhost, "destination": destination, "destination_type": "queue"}
    return {**ends, "routing_key": key, "arguments": {}}


def virtual_hosts(n: int) -> str:
    names = [f"v{i}" for i in range(n)]
    users = [{"name": "u", "password_hash": "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR", "tags": ""}]
    return _definitions(
        names, users=users,
        permissions=[{"user": "u", "vhost": name, "configure": ".*", "write": ".*", "read": ".*"} for name in names],
        queues=[_queue("q", name) for name in names], exchanges=[_exchange("x", "topic", name) for name in names],
        bindings=[_binding("x", "q", "a.*", name) for name in names],
    )  # fmt: skip


def a_policy_defined_for_each_queue(n: int) -> str:
    policy = {"vhost": "/", "definition": {"max-length": 10}, "apply-to": "queues", "priority": 0}
    policies = [{"name": f"p{i}", "pattern": f"^q{i}$", **policy} for i in range(n)]
    return _definitions(["/"], policies=policies, queues=[_queue(f"q{i}") for i in range(n)])


def bindings_of_one_topic_exchange(n: int) -> str:
    bindings = [_binding("x", f"q{i}", f"a.{i}.*") for i in range(n)]
    return _definitions(["/"], exchanges=[_exchange("x", "topic")], queues=[_queue(f"q{i}") for i in range(n)], bindings=bindings)


def messages_to_a_headers_exchange(n: int) -> str:
    bindings = "".join(f"  - {{source: x, destination: q{i}, arguments: {{x-match: all, a: {i}}}}}\n" for i in range(n))
    publishes = [f"publish: {{exchange: x, headers: {{a: {i}}}}}" for i in range(n)]
    return _scenario(_queues(n), publishes, f"exchanges: {{x: headers}}\nbindings:\n{bindings}")


def exchanges_that_let_nothing_through(n: int) -> str:
    """A chain of them, and a row of them behind one: no key that comes so far matches there."""
    inner = ", ".join(f"c{i}: topic, d{i}: topic" for i in range(n + 1))
    ends = [(f"c{i}", f"c{i + 1}", "exchange", f"a{i}.#") for i in range(n)] + [(f"c{n}", "q0", "queue", "a.#")]
    ends += [("d0", f"d{i + 1}", "exchange", f"a{i}.#") for i in range(n)]
    ends += [(f"d{i + 1}", f"q{i}", "queue", f"b{i}.#") for i in range(n)]
    keys = ("source", "destination", "destination_type", "routing_key")
    bindings = "".join(
        f"  - {{{', '.join(f'{key}: {value!r}' for key, value in zip(keys, end, strict=True))}}}\n" for end in ends
    )
    return f"---\nexchanges: {{{inner}}}\nqueues: {_queues(n)}\nbindings:\n{bindings}"  # read in the same way at any size


TOPOLOGIES = [
    virtual_hosts, a_policy_defined_for_each_queue, bindings_of_one_topic_exchange,
    messages_to_a_headers_exchange, exchanges_that_let_nothing_through,
]  # fmt: skip


def objects_of_kubernetes(n: int) -> str:
    cluster = "rabbitmqClusterReference: {name: c}"
    objects = [
        each
        for i in range(n)
        for each in (
            ("Queue", f"name: q{i}, durable: true"), ("Exchange", f"name: x{i}, type: topic, durable: true"),
            ("Binding", f"source: x{i}, destination: q{i}, destinationType: queue, routingKey: a"),
        )
    ]  # fmt: skip
    head = "apiVersion: rabbitmq.com/v1beta1"
    return "---\n".join(
        f"{head}\nkind: {kind}\nmetadata: {{name: o{number}}}\nspec: {{{spec}, {cluster}}}\n"
        for number, (kind, spec) in enumerate(objects)
    )


def a_chain_of_dead_letters(n: int) -> str:
    more = "x-dead-letter-exchange: '', x-message-ttl: 5, x-dead-letter-routing-key:"
    return "---\nqueues: {" + ", ".join(f"q{i}: {{arguments: {{{more} q{i + 1}}}}}" for i in range(n)) + f", q{n}: }}\n"
