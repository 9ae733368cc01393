"""`old_sound_rabbit_mq`, the configuration of php-amqplib's RabbitMqBundle: what its producers and consumers declare.

Each declares its exchange and, where it has one, its queue with a binding for each routing key (RabbitMq/BaseAmqp.php); a
queue is bound with the very arguments that it is declared with.
"""

from typing import Any

from routesim.model import Binding, Exchange, Queue
from routesim.scenario.imports.gathered import Gathered
from routesim.scenario.imports.items import Item
from routesim.scenario.imports.php import as_list, environments_left_out, path_of, with_parameters
from routesim.scenario.yaml.writing import scalar
from routesim.values import INTEGER_RANGES, Typed, Value

ONE_QUEUE = ("producers", "consumers", "batch_consumers")
# php-amqplib writes a value of a table as a pair: the letter of its type, and the value (Wire/AMQPAbstractCollection.php).
INTEGERS = {
    "b": "byte", "B": "unsignedbyte", "s": "short", "u": "unsignedshort", "I": "signedint", "i": "unsignedint", "l": "long",
}  # fmt: skip
COMMON = ("name", "passive", "durable", "auto_delete", "nowait", "declare", "arguments", "ticket")
EXCHANGE, QUEUE = (*COMMON, "type", "internal"), (*COMMON, "exclusive", "routing_keys", "callback")
REFUSED = "the bundle refuses {}: there is no such option"
SECTIONS = (*ONE_QUEUE, "multiple_consumers", "dynamic_consumers", "anon_consumers", "rpc_servers")


def read(gathered: Gathered, document: Item) -> None:
    document = with_parameters(gathered, document)
    environments_left_out(document)
    config = document.get("old_sound_rabbit_mq")
    vhosts = {name: _vhost(gathered, name, item) for name, item in config.get("connections").named()}
    sandbox = config.get("sandbox").value is True
    if sandbox:
        gathered.leave_out("producers and bindings: in a sandbox the bundle declares none of them")
    for section in SECTIONS[sandbox:]:
        for name, item in config.get(section).named():
            connection = item.text("connection", "default") or "default"
            _client(gathered, section, name, item, vhosts.get(connection, "/"))
    for item in () if sandbox else config.get("bindings").listed():
        _binding(gathered, item, vhosts.get(item.text("connection", "default") or "default", "/"))
    clients = [section for section in SECTIONS[1:] if config.get(section).value]
    if clients:
        gathered.leave_out(f"{', '.join(clients)}: their queues are here; that they take messages is written as consumers")
    if config.get("rpc_clients").value:
        gathered.leave_out("rpc_clients: each has a queue for answers whose name the broker makes up")


def _vhost(gathered: Gathered, name: str, connection: Item) -> str:
    """Of the connection's address where it has one, else of its `vhost`."""
    url = connection.get("url").value
    if isinstance(url, str) and url:
        mark = gathered.open_in(url)
        path = path_of(url) if mark is None else None
        if mark is not None:
            what = f"the url of connection {scalar(name)}, {mark}, known only when the program runs: its vhost is taken to be /"
            connection.get("url").leave_out(what, matters=True)
            return "/"
        if path is not None:
            return "/".join(path) or "/"
    return connection.text("vhost", "/") or "/"


def _client(gathered: Gathered, section: str, name: str, item: Item, vhost: str) -> None:
    exchange = item.get("exchange_options")
    bound_to = _exchange(gathered, exchange, vhost, name if section == "rpc_servers" else None)
    queue = item.get("queue_options")
    if section == "multiple_consumers":
        for _, each in item.get("queues").named():
            _queue(gathered, each, vhost, bound_to, None)
        if item.get("queues_provider").value is not None:
            item.get("queues_provider").leave_out(
                f"the queues that {scalar(name)} gets from its provider, a part of the program", matters=True
            )
    elif section == "anon_consumers":
        gathered.leave_out(f"the queue of {scalar(name)} (anon_consumers): each process has one, whose name the broker makes up")
    elif section == "dynamic_consumers":
        item.leave_out(f"the queue of {scalar(name)} (dynamic_consumers): a part of the program says which", matters=True)
    elif section == "rpc_servers":
        _queue(gathered, queue, vhost, bound_to, f"{name}-queue")
    elif queue.value is not None:
        _queue(gathered, queue, vhost, bound_to, None)


def _exchange(gathered: Gathered, item: Item, vhost: str, default: str | None) -> str:
    """Declare it; its name. Without options it is the default exchange."""
    if item.value is None and default is None:
        return ""
    item.only(EXCHANGE, REFUSED, refused=True)
    name = item.text("name", default)
    if name is None:
        item.name()
        return ""
    kind = item.text("type", "direct" if default is not None else None)
    if kind is None:
        item.name("type")
    elif name and item.flag("declare", True) and not item.flag("passive", False):
        flags = item.flag("durable", True), item.flag("auto_delete", False), item.flag("internal", False)
        gathered.declare(vhost, Exchange(name, kind, *flags, _arguments(item)), item)
    return name


def _queue(gathered: Gathered, item: Item, vhost: str, exchange: str, default: str | None) -> None:
    item.only(QUEUE, REFUSED, refused=True)
    name = item.text("name", default)
    if name is None or not item.flag("declare", True):
        if name is None and item.flag("declare", True):
            item.leave_out("a queue without a name: the broker makes one up")
        return
    arguments = _arguments(item)
    if not item.flag("passive", False):
        flags = item.flag("durable", True), item.flag("exclusive", False), item.flag("auto_delete", False)
        gathered.declare(vhost, Queue(name, *flags, arguments), item)
    keys = [each.own_text() or "" for each in as_list(item.get("routing_keys"))] or [""]
    for key in keys if exchange else ():
        gathered.declare(vhost, Binding(exchange, name, "queue", key, arguments), item)


def _binding(gathered: Gathered, item: Item, vhost: str) -> None:
    exchange, destination, key = item.name("exchange"), item.name("destination"), item.text("routing_key", "") or ""
    if exchange is not None and destination is not None:
        kind = "exchange" if item.flag("destination_is_exchange", False) else "queue"
        gathered.declare(vhost, Binding(exchange, destination, kind, key, _arguments(item)), item)


# Arguments -----------------------------------------------------------------------------------------------------------


def _arguments(item: Item) -> dict[str, Value]:
    given = item.get("arguments")
    if isinstance(given.value, str):  # the old form: x-max-length:10:I,x-queue-mode:lazy
        pairs = (part.split(":") for part in given.value.split(",") if part.strip())
        table: dict[str, Any] = {
            parts[0].strip(): [parts[2] if len(parts) > 2 else "S", parts[1]] for parts in pairs if len(parts) > 1
        }
        given = Item(item.notes, item.document, table, given.path)
    found: dict[str, Value] = {}
    for name, inner in given.named():
        key = name.replace("_", "-")
        if not inner.is_open("this argument is left out"):
            found[key] = _value(inner)
    return found


def _value(item: Item) -> Value:
    pair = item.value
    if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and len(pair[0]) == 1):
        item.warning(
            "wrong-type", f"php-amqplib takes {item.called()} as a pair of a type and a value", "write ['I', 10], or ['S', text]"
        )
        return item.argument()
    letter, value = pair[0], item.get(1)
    if letter in INTEGERS and isinstance(value.value, (int, str)) and str(value.value).strip().lstrip("+-").isdigit():
        number, kind = int(value.value), INTEGERS[letter]
        low, high = INTEGER_RANGES[kind]
        if not low <= number <= high:
            value.error("wrong-value", f"{number} is no {kind}: {low} to {high}")
        return number if kind == "signedint" else Typed(kind, number)
    if letter in ("S", "t"):
        return bool(value.value) if letter == "t" else str(value.value)
    return value.argument()
