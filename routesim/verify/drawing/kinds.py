"""Special kinds of things that a random scenario may have, beside what every one has. One row a kind."""

from collections.abc import Callable
from typing import Any

from routesim.named_tuples import NamedTuple
from routesim.verify.drawing.everyday import Document, Drawing
from routesim.versions import Rules

LONG_MS = 3_600_000
RETRY_MS = 300  # a delayed retry, far from the steps and over within the wait
OFFSETS: tuple[Any, ...] = ("first", "last", "next", 0, 1, 3, 20)


def nothing(drawing: Drawing) -> None:
    """Before the plain scenario is drawn nothing has to be so."""


def _no_expiry(drawing: Drawing) -> None:
    drawing.expiring = False


class Special(NamedTuple):
    """`before` says what the plain scenario has to be like, `after` puts the kind into it. `since`: the version that has it
    first; `types`: the exchange types that it needs."""

    after: Callable[[Drawing, Document], None]
    before: Callable[[Drawing], None] = nothing
    since: str = ""
    types: tuple[str, ...] = ()


def _all(kind: str) -> Callable[[Drawing], None]:
    def before(drawing: Drawing) -> None:
        drawing.kind = kind

    return before


def _arguments(document: Document, queue: str) -> Document:
    found: Document = document["queues"][queue].setdefault("arguments", {})
    return found


def _of_type(drawing: Drawing, document: Document, kind: str | None) -> str | None:
    """A queue of that type (None: a classic one)."""
    names = [name for name, item in document["queues"].items() if item.get("type") == kind]
    return drawing.some(*names) if names else None


def _insert(drawing: Drawing, document: Document, *steps: Document) -> None:
    """Steps at places of their own, in their order."""
    into = document["steps"]
    last = len(into) - (1 if into and "wait" in into[-1] else 0)
    places = sorted(drawing.random.randint(0, last) for _ in steps)
    for shift, (place, step) in enumerate(zip(places, steps, strict=True)):
        into.insert(place + shift, step)


def streams(drawing: Drawing, document: Document) -> None:
    """A stream with consumers that begin somewhere in it."""
    document["queues"]["s0"] = {"type": "stream"}
    exchange = drawing.some(*document["exchanges"])
    kind = document["exchanges"][exchange]["type"]
    if kind not in ("headers", "x-consistent-hash", "x-modulus-hash", "x-recent-history"):
        document["bindings"].append({"source": exchange, "destination": "s0", "routing_key": drawing.some("", "#", "a")})
    consumers = document.setdefault("consumers", {})
    steps: list[Document] = [{"publish": {"routing_key": "s0"}} for _ in range(drawing.random.randint(2, 5))]
    for number in range(drawing.random.randint(1, 2)):
        name = f"r{number}"
        consumers[name] = {
            "queue": "s0", "prefetch": drawing.random.randint(1, 3), "on_message": drawing.some("hold", "ack"), "start": False,
            "arguments": {"x-stream-offset": drawing.some(*OFFSETS)},
        }  # fmt: skip
        steps.insert(drawing.random.randint(0, len(steps)), {"consume": name})
    steps += [{drawing.some("ack", "nack"): {"consumer": "r0", "delivery_tag": drawing.random.randint(1, 4)}}]
    steps += [drawing.some({"publish": {"routing_key": "s0"}}, {"get": {"queue": "s0"}}, {"cancel": "r0"}, {"crash": "r0"})]
    _insert(drawing, document, *steps)


def negative_limits(drawing: Drawing, document: Document) -> None:
    """x-delivery-limit below 0, by argument or policy."""
    queue = _of_type(drawing, document, "quorum")
    if queue is None:
        return
    _arguments(document, queue)["x-delivery-limit"] = drawing.some(-1, -1, -5)
    if drawing.often(0.5):
        document["policies"] = [_queue_policy("p0", {"delivery-limit": drawing.some(1, 2)})]
    _insert(drawing, document, *_failures(drawing, queue))


def _failures(drawing: Drawing, queue: str) -> list[Document]:
    """A message that is published, got and given back a few times."""
    steps: list[Document] = [{"publish": {"routing_key": queue}}]
    for number in range(drawing.random.randint(2, 4)):
        channel = f"g{number}"
        steps.append({"get": {"queue": queue, "channel": channel}})
        steps.append(drawing.some({"crash": channel}, {"reject": {"channel": channel, "delivery_tag": 1, "requeue": True}}))
    return steps


def leases(drawing: Drawing, document: Document) -> None:
    """x-expires, mostly too long to end."""
    queue = drawing.some(*document["queues"])
    _arguments(document, queue)["x-expires"] = LONG_MS
    classic = _of_type(drawing, document, None)
    if classic is not None and drawing.often(0.4):
        _arguments(document, classic)["x-expires"] = 600
        document["steps"].append({"wait": "2s"})


def consumer_arguments(drawing: Drawing, document: Document) -> None:
    """Arguments of basic.consume that are known, of a wrong type, or nobody's."""
    queue = drawing.some(*document["queues"])
    consumers = document.setdefault("consumers", {})
    consumers["ca"] = {"queue": queue, "prefetch": 1, "on_message": "hold", "start": False}
    consumers["ca"]["arguments"] = drawing.some(
        {"x-priority": "high"}, {"x-priority": 3}, {"x-cancel-on-ha-failover": True}, {"x-cancel-on-ha-failover": "no"},
        {"x-consumer-timeout": LONG_MS}, {"x-consumer-timeout": "soon"}, {"unknown": 1}, {"x-stream-offset": "first"},
    )  # fmt: skip
    _insert(
        drawing, document, {"consume": "ca"}, drawing.some({"cancel": "ca"}, {"crash": "ca"}, {"publish": {"routing_key": queue}})
    )


def shared_connections(drawing: Drawing, document: Document) -> None:
    """Channels that share a connection: each with what it holds, all ended by one crash."""
    document["channels"] = {f"k{number}": {"connection": "both"} for number in range(2)}
    consumers = document.setdefault("consumers", {})
    queues = list(document["queues"])
    for number in range(2):
        consumers[f"k{number}c"] = {
            "queue": queues[number % len(queues)], "prefetch": drawing.random.randint(1, 2), "on_message": "hold",
            "channel": f"k{number}",
        }  # fmt: skip
    ends = [{drawing.some("close", "crash"): "k0"}, {"consume": "k1c"}]
    get = {"get": {"queue": queues[0], "channel": "k1"}}
    _insert(drawing, document, {"publish": {"routing_key": queues[0], "count": 2, "channel": "k0"}}, get, *ends)


def exclusive_queues(drawing: Drawing, document: Document) -> None:
    """A queue of one connection, used by it and by others, and gone with it."""
    document.setdefault("channels", {})["owner"] = {"connection": "owner"}
    document["queues"]["e0"] = {"exclusive": True, "channel": "owner"}
    publish = {"publish": {"routing_key": "e0"}}
    steps: list[Document] = [publish, {"get": {"queue": "e0", "channel": drawing.some("owner", "other")}}, publish]
    steps.append(drawing.some(
        {"purge": "e0"}, {"delete": {"queue": "e0", "channel": "owner"}}, {"crash": "owner"}, {"close": "owner"},
        {"delete": {"queue": "e0", "channel": "other"}}, {"get": {"queue": "e0", "channel": "owner"}},
    ))  # fmt: skip
    _insert(drawing, document, *steps)


def server_named_queues(drawing: Drawing, document: Document) -> None:
    """A queue whose name the broker draws, bound and consumed like others."""
    document["queues"]["n0"] = {"server_named": True}
    if drawing.often(0.5):
        document["queues"]["n0"] |= {"exclusive": True, "channel": "owner"}
        document.setdefault("channels", {})["owner"] = {"connection": "owner"}
    channel = "owner" if "exclusive" in document["queues"]["n0"] else "gets"
    document["exchanges"]["fan"] = {"type": "fanout"}
    document["bindings"].append({"source": "fan", "destination": "n0", "channel": channel})
    publish = {"publish": {"exchange": "fan"}}
    _insert(drawing, document, publish, publish, {"get": {"queue": "n0", "channel": channel, "auto_ack": True}})


def _queue_policy(name: str, definition: Document, priority: int = 0) -> Document:
    return {"name": name, "pattern": "^q", "apply-to": "queues", "priority": priority, "definition": definition}


def operator_policies(drawing: Drawing, document: Document) -> None:
    """An operator's limit beside one of the users."""
    own = {"max-length": drawing.random.randint(1, 3)} if drawing.often(0.7) else {"delivery-limit": drawing.random.randint(0, 2)}
    document["operator_policies"] = [_queue_policy("o0", own)]
    if drawing.often(0.6):
        document["policies"] = [_queue_policy("p0", {"max-length": drawing.random.randint(0, 4), "overflow": "drop-head"})]


def policies_in_mid_run(drawing: Drawing, document: Document) -> None:
    """A policy that comes, changes and goes while there are messages."""
    queue = drawing.some(*document["queues"])
    definitions = [
        {"max-length": drawing.random.randint(0, 2)}, {"dead-letter-exchange": "", "dead-letter-routing-key": queue},
        {"max-length": 1, "overflow": "reject-publish"}, {"max-length-bytes": drawing.random.randint(1, 400)},
        {"delivery-limit": drawing.random.randint(0, 2)}, {"expires": LONG_MS}, {"alternate-exchange": "x0"},
    ]  # fmt: skip
    first, second = drawing.random.sample(definitions, 2)
    steps: list[Document] = [{"publish": {"routing_key": queue, "count": 2}}]
    for definition in (first, second):
        policy = _queue_policy("mid", definition, 5)
        if "alternate-exchange" in definition:
            policy |= {"pattern": "^x1$", "apply-to": "exchanges"}
        steps += [{"declare": {"policies": [policy]}}, {"publish": {"routing_key": queue, "count": 2}}]
    steps.append({"delete": {"policy": "mid"}})
    _insert(drawing, document, *steps, {"publish": {"routing_key": queue}})


def at_least_once(drawing: Drawing, document: Document) -> None:
    """Dead letters that wait for their target to take them."""
    queue = _of_type(drawing, document, "quorum")
    if queue is None:
        return
    target = drawing.some("", "x0", "nowhere")
    document["queues"][queue]["arguments"] = {
        "x-dead-letter-exchange": target, "x-dead-letter-routing-key": drawing.some("q0", "q1", "a"),
        "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish",
    }  # fmt: skip
    if target == "nowhere" and drawing.often(0.4):  # one that comes back to a queue with a limit is not compared
        _arguments(document, queue)["x-max-length"] = drawing.random.randint(2, 4)
    steps: list[Document] = [{"publish": {"routing_key": queue, "count": 2}}]
    for number in range(2):
        steps.append({"get": {"queue": queue, "channel": f"d{number}"}})
        steps.append({drawing.some("nack", "reject"): {"channel": f"d{number}", "delivery_tag": 1, "requeue": False}})
    _insert(drawing, document, *steps, {"publish": {"routing_key": queue}})


def delayed_retries(drawing: Drawing, document: Document) -> None:
    """What is given back to a quorum queue is ready only after a while."""
    queue = _of_type(drawing, document, "quorum")
    if queue is None:
        return
    arguments = _arguments(document, queue)
    arguments["x-delayed-retry-type"] = drawing.some("all", "failed", "returned")
    arguments |= {"x-delayed-retry-min": RETRY_MS, "x-delayed-retry-max": 2 * RETRY_MS}
    back = {"channel": "dr", "delivery_tag": 1, "requeue": True}
    steps: list[Document] = [{"publish": {"routing_key": queue, "count": 2}}, {"get": {"queue": queue, "channel": "dr"}}]
    steps.append(drawing.some({"reject": back}, {"nack": back}, {"crash": "dr"}))
    document["steps"] = [*document["steps"], *steps, {"wait": "2s"}, {"get": {"queue": queue}}]


def transactions(drawing: Drawing, document: Document) -> None:
    """Publishes and answers that count together, on classic queues."""
    document.setdefault("channels", {})["t"] = {"confirms": False}
    queue = drawing.some(*(name for name in document["queues"] if name != "n0"))  # whose name only the broker knows
    steps: list[Document] = [{"tx": {"channel": "t", "do": "select"}}]
    for _ in range(2):
        steps.append({"publish": {"routing_key": queue, "channel": "t", "count": drawing.random.randint(1, 2)}})
        steps.append({"get": {"queue": queue, "channel": "t"}})
        steps.append(drawing.some(
            {"ack": {"channel": "t", "delivery_tag": 1}}, {"nack": {"channel": "t", "delivery_tag": 1}},
            {"publish": {"routing_key": "nowhere", "channel": "t", "mandatory": True}},
        ))  # fmt: skip
        steps.append({"tx": {"channel": "t", "do": drawing.some("commit", "commit", "rollback")}})
    steps.append(drawing.some({"crash": "t"}, {"close": "t"}, {"publish": {"routing_key": queue, "channel": "t"}}))
    _insert(drawing, document, *steps)


def internal_exchanges(drawing: Drawing, document: Document) -> None:
    """An exchange that only other exchanges may publish to."""
    document["exchanges"]["in"] = {"type": drawing.some("fanout", "topic"), "internal": True}
    queue = drawing.some(*document["queues"])
    document["bindings"].append({"source": "in", "destination": queue, "routing_key": "#"})
    source = drawing.some(*(name for name in document["exchanges"] if name != "in"))
    if document["exchanges"][source]["type"] in ("direct", "fanout", "topic"):
        document["bindings"].append({"source": source, "destination": "in", "destination_type": "exchange", "routing_key": "a"})
    wrong = {"publish": {"exchange": "in", "routing_key": "a"}, "fails": 403}
    _insert(drawing, document, {"publish": {"exchange": source, "routing_key": "a"}}, wrong)


def dice(drawing: Drawing, document: Document) -> None:
    """An exchange that throws dice: only what is ready in all queues together can be compared."""
    document["exchanges"]["d"] = {"type": "x-random"}
    for queue in document["queues"]:
        document["bindings"].append({"source": "d", "destination": queue})
    document.pop("consumers", None)
    document.pop("policies", None)
    document["steps"] = [step for step in document["steps"] if "publish" in step and "fails" not in step]
    for item in document["queues"].values():  # what a queue drops or refuses would depend on the dice
        item.pop("arguments", None)
    document["steps"] += [{"publish": {"exchange": "d", "count": drawing.random.randint(2, 4)}}]


def local_dice(drawing: Drawing, document: Document) -> None:
    """The same by the type that RabbitMQ 4 brings along; here every queue is local."""
    dice(drawing, document)
    document["exchanges"]["d"]["type"] = "x-local-random"


def default_types(drawing: Drawing, document: Document) -> None:
    """A type for the queues that name none."""
    document["broker"] = {"default_queue_type": drawing.some("quorum", "quorum", "classic")}
    document["queues"]["dq"] = {}
    _insert(drawing, document, *_failures(drawing, "dq"))


def many_publishers(drawing: Drawing, document: Document) -> None:
    """Publishes by several channels, one without confirms."""
    document.setdefault("channels", {})["silent"] = {"confirms": False}
    for step in document["steps"]:
        if "publish" in step and drawing.often(0.6):
            step["publish"]["channel"] = drawing.some("p0", "p1", "silent")


def restarts(drawing: Drawing, document: Document) -> None:
    """The broker stops and starts again."""
    _insert(drawing, document, {"restart": "clean"})


KINDS: dict[str, Special] = {
    "streams": Special(streams),
    "negative delivery limits": Special(negative_limits, _all("quorum")),
    "leases": Special(leases),
    "consumer arguments": Special(consumer_arguments),
    "shared connections": Special(shared_connections),
    "exclusive queues": Special(exclusive_queues),
    "server-named queues": Special(server_named_queues),
    "operator policies": Special(operator_policies),
    "policies in mid-run": Special(policies_in_mid_run),
    "at-least-once": Special(at_least_once, _all("quorum")),
    "delayed retries": Special(delayed_retries, _all("quorum"), since="4.3.0"),
    "transactions": Special(transactions, _all("classic")),
    "internal exchanges": Special(internal_exchanges),
    "dice": Special(dice, _no_expiry, types=("x-random",)),
    "local dice": Special(local_dice, _no_expiry, since="4.0.0", types=("x-local-random",)),
    "default queue types": Special(default_types),
    "several channels to a publisher": Special(many_publishers),
    "restarts": Special(restarts),
}


def kinds_for(rules: Rules, types: frozenset[str], *, restarts: bool) -> list[str]:
    """What a broker of that version, with these exchange types, can be asked for."""
    return [
        name
        for name, kind in KINDS.items()
        if rules.is_at_least(kind.since) and types.issuperset(kind.types) and (restarts or name != "restarts")
    ]
