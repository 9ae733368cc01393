"""Symfony Messenger's configuration: what its AMQP transports declare (symfony/amqp-messenger, Transport/Connection.php).

A transport declares its exchange, its queues and their bindings, and the exchange of its delays; a retry goes through a queue of
its own, whose name says for how long it is kept there.
"""

import math
from typing import Any

from routesim.model import Binding, Exchange, Queue
from routesim.named_tuples import NamedTuple
from routesim.scenario.imports.gathered import Gathered
from routesim.scenario.imports.items import Item
from routesim.scenario.imports.php import as_list, environments_left_out, merged, path_of, query_of, scheme, with_parameters
from routesim.scenario.yaml.writing import scalar

# Symfony refuses any other option (Connection::validateOptions).
OPTIONS = (
    "host", "port", "vhost", "user", "login", "password", "queues", "exchange", "delay", "auto_setup", "retry", "persistent",
    "frame_max", "channel_max", "heartbeat", "read_timeout", "write_timeout", "confirm_timeout", "connect_timeout",
    "rpc_timeout", "cacert", "cert", "key", "verify", "sasl_method", "connection_name",
)  # fmt: skip
QUEUE_OPTIONS = ("binding_keys", "binding_arguments", "flags", "arguments")
EXCHANGE_OPTIONS = ("name", "type", "default_publish_routing_key", "flags", "arguments")
# Of these a text is made a number (Connection::normalizeQueueArguments).
NUMBERS = ("x-delay", "x-expires", "x-max-length", "x-max-length-bytes", "x-max-priority", "x-message-ttl")
# The bits of `flags`, which is one of these constants' names or their sum (php-amqp).
FLAGS = {"AMQP_NOPARAM": 0, "AMQP_DURABLE": 2, "AMQP_PASSIVE": 4, "AMQP_EXCLUSIVE": 8, "AMQP_AUTODELETE": 16, "AMQP_INTERNAL": 32}
PATTERN = "delay_%exchange_name%_%routing_key%_%delay%"
LEASE_MS = 10_000  # by which a queue of a delay outlives its messages
MOST_RETRIES = 100
RETRIES = (
    "the queues of retries expire 10 s after their delay: the transport declares each anew whenever it sends a message there; "
    "with a jitter (of 10 % unless retry_strategy says otherwise) their delays, and so their names, differ from these by it"
)


class Flags(NamedTuple):
    durable: bool
    exclusive: bool
    auto_delete: bool
    internal: bool
    passive: bool


def read(gathered: Gathered, document: Item) -> None:
    document = with_parameters(gathered, document)
    environments_left_out(document)
    messenger = document.get("framework", "messenger")
    for name, transport in messenger.get("transports").named():
        _transport(gathered, name, transport)
    if messenger.get("failure_transport").value is not None or any(
        item.get("failure_transport").value is not None
        for _, item in messenger.get("transports").named()
        if isinstance(item.value, dict)
    ):
        gathered.leave_out("failure_transport: what failed for good is sent there by the worker itself, not dead-lettered")
    if messenger.get("routing").value:
        gathered.leave_out("routing: which class goes to which transport is decided before anything is published")


def _transport(gathered: Gathered, name: str, transport: Item) -> None:
    given: Item = transport.get("dsn") if isinstance(transport.value, dict) else transport
    address = given.value if isinstance(given.value, str) else ""
    if not address:
        given.error("missing-key", f"transport {scalar(name)} needs a 'dsn'")
        return
    given_options = transport.get("options").value if isinstance(transport.value, dict) else None
    mark = gathered.open_in(address)
    if scheme(address) not in ("amqp", "amqps") and not (mark is not None and address.startswith("%")):
        gathered.leave_out(f"transport {scalar(name)}: it is none of AMQP ({scheme(address) or 'no scheme'}://)")
        return
    if mark is not None:
        given.leave_out(
            f"the dsn of transport {scalar(name)}, {mark}, known only when the program runs: the transport is taken for one of "
            "AMQP whose dsn names neither vhost nor exchange",
            matters=True,
        )  # fmt: skip
        address = "amqp://"
    path = path_of(address) or []
    exchange = path[1] if len(path) > 1 else "messages"
    vhost = (path[0] if path else "/") or "/"
    options = Item(gathered, transport.document, merged(given_options or {}, query_of(address)), (*transport.path, "options"))
    _only(options, OPTIONS, "the AMQP transport")
    queues = options.get("queues")
    if queues.value is None:  # one of the name of the exchange in the dsn, whatever `options` call theirs
        queues = Item(gathered, queues.document, {exchange: None}, queues.path)
    vhost, exchange = options.text("vhost", vhost) or vhost, options.get("exchange").text("name", exchange) or ""
    _declare(gathered, options, vhost, exchange, queues)
    retries = transport.get("retry_strategy") if isinstance(transport.value, dict) else Item(gathered, transport.document, None)
    _retries(gathered, name, retries, options, vhost, exchange, queues)


def _declare(gathered: Gathered, options: Item, vhost: str, exchange: str, queues: Item) -> None:
    own = options.get("exchange")
    _only(own, EXCHANGE_OPTIONS, "an exchange")
    flags = _flags(own)
    if not exchange:
        own.leave_out("the exchange without a name: nothing is bound to it", matters=True)
    elif not flags.passive:
        kind = own.text("type", "fanout") or "fanout"
        gathered.declare(vhost, Exchange(exchange, kind, flags.durable, flags.auto_delete, flags.internal, own.table()), own)
    for name, queue in queues.named():
        _only(queue, QUEUE_OPTIONS, "a queue")
        flags = _flags(queue)
        if not flags.passive:
            arguments = {key: _number(key, value) for key, value in queue.table().items()}
            declared = Queue(name, flags.durable, flags.exclusive, flags.auto_delete, arguments)
            gathered.declare(vhost, declared, queue)
        keys = (
            [item.own_text() or "" for item in as_list(queue.get("binding_keys"))]
            if queue.get("binding_keys").value is not None
            else [""]
        )
        for key in keys if exchange else ():
            gathered.declare(vhost, Binding(exchange, name, "queue", key, queue.table("binding_arguments")), queue)
    options.get("delay").only(("exchange_name", "queue_name_pattern"), "{} of the delays is not carried over")
    delays = options.get("delay").text("exchange_name", "delays") or "delays"
    gathered.declare(vhost, Exchange(delays, "direct"), options.get("delay"))


def _retries(gathered: Gathered, name: str, strategy: Item, options: Item, vhost: str, exchange: str, queues: Item) -> None:
    """The queues through which messages are retried: one for each delay, of each queue."""
    if strategy.get("service").value is not None:
        strategy.leave_out(f"the retries of transport {scalar(name)}: a service of the program decides about them", matters=True)
        return
    retries, delay = strategy.number("max_retries", 3), strategy.number("delay", 1000)
    multiplier, most = strategy.number("multiplier", 2), strategy.number("max_delay", 0)
    if not 0 <= retries <= MOST_RETRIES or delay < 0 or multiplier < 1 or most < 0:
        strategy.error("wrong-value", f"expected 0 to {MOST_RETRIES} retries, no negative delay, and a multiplier of 1 or more")
        return
    pattern = options.get("delay", "queue_name_pattern").value
    pattern = pattern if isinstance(pattern, str) else PATTERN
    delays = options.get("delay").text("exchange_name", "delays") or "delays"
    waits = dict.fromkeys(_wait(delay, multiplier, retry, most) for retry in range(int(retries)))
    for queue, item in queues.named():
        for wait in waits:
            if wait <= 0:
                continue
            filled = pattern.replace("%delay%", str(wait)).replace("%exchange_name%", exchange).replace("%routing_key%", queue)
            arguments = {
                "x-message-ttl": wait, "x-expires": wait + LEASE_MS, "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": queue,
            }  # fmt: skip
            gathered.declare(vhost, Queue(f"{filled}_retry", arguments=arguments), item)
            gathered.declare(vhost, Binding(delays, f"{filled}_retry", "queue", f"{filled}_retry"), item)
            gathered.leave_out(RETRIES)


def _wait(delay: float, multiplier: float, retry: int, most: float) -> int:
    wait = min(delay * multiplier**retry, 2**53)
    return int(most) if most and wait > most else math.ceil(wait)


def _only(item: Item, known: tuple[str, ...], what: str) -> None:
    item.only(known, f"Symfony refuses {{}}: {what} has no such option", refused=True)


def _flags(item: Item) -> Flags:
    """Durable where nothing is said."""
    given = item.get("flags")
    bits = FLAGS["AMQP_DURABLE"]
    for each in as_list(given):
        name = str(each.value).lstrip("\\")
        if name in FLAGS:
            bits = FLAGS[name]
        elif name.isdigit():
            bits = int(name)
        elif not each.is_open("it is taken for durable"):
            each.error("wrong-value", "expected a sum of php-amqp's flags, or the name of one", f"such as {', '.join(FLAGS)}")
    durable, passive, exclusive, auto_delete, internal = (bool(bits & bit) for bit in list(FLAGS.values())[1:])
    return Flags(durable, exclusive, auto_delete, internal, passive)


def _number(key: str, value: Any) -> Any:
    return int(value) if key in NUMBERS and isinstance(value, str) and value.strip().lstrip("-").isdigit() else value
