"""AsyncAPI 2 and 3: what the AMQP bindings of a document say of exchanges and queues (asyncapi/bindings, amqp 0.2 and 0.3).

A document tells what there is, not how it is bound: where a channel names both an exchange and a queue, they are taken to be
bound by the keys that its operations name, else by its address.
"""

from collections.abc import Iterator

from routesim.model import Binding, Exchange, Queue
from routesim.scenario.imports.gathered import Gathered
from routesim.scenario.imports.items import Item
from routesim.scenario.yaml.writing import scalar

DEEPEST = 16  # references that lead to references
INFERRED = (
    "AsyncAPI has no bindings of queues: where a channel names an exchange and a queue, these are bound by the keys of its "
    "operations (cc), else by its address"
)
DURABLE = "whether {} is durable, of which the document says nothing: it is taken to be"
SECTIONS = ("publish", "subscribe")


def read(gathered: Gathered, document: Item) -> None:
    amqp = False
    for name, item in document.get("channels").named():
        channel = _resolved(document, item)
        binding = _resolved(document, _resolved(document, channel.get("bindings")).get("amqp"))
        if isinstance(binding.value, dict):
            amqp = True
            _channel(gathered, document, name, channel, binding)
    if not amqp:
        document.get("channels").error(
            "missing-key", "no channel of this document has AMQP bindings", "bindings: {amqp: …} says what it is"
        )
    for name, server in document.get("servers").named():
        if server.get("protocol").value not in ("amqp", "amqps", None):
            gathered.leave_out(f"server {scalar(name)}: it is none of AMQP 0-9-1")


def _channel(gathered: Gathered, document: Item, name: str, channel: Item, binding: Item) -> None:
    kind = binding.text("is", "routingKey")
    if kind not in ("routingKey", "queue"):
        binding.get("is").error("wrong-value", "`is` says routingKey or queue")
        return
    exchange, queue = _resolved(document, binding.get("exchange")), _resolved(document, binding.get("queue"))
    paths = _server_paths(document)
    source = _exchange(gathered, exchange, paths) if isinstance(exchange.value, dict) else ""
    into = _queue(gathered, queue, paths) if isinstance(queue.value, dict) else None
    keys = _keys(document, name, channel)
    if source and into is not None:
        for key in keys:
            gathered.declare(_vhost(queue, paths), Binding(source, into, "queue", key), queue)
        gathered.leave_out(INFERRED)
    elif into is not None and exchange.value is None and keys != [into]:
        gathered.leave_out(f"channel {scalar(name)}: to which exchange queue {scalar(into)} is bound, the document does not say")
    elif source:
        gathered.leave_out(
            f"channel {scalar(name)}: which queues are bound to exchange {scalar(source)} for it, the document does not say"
        )


def _exchange(gathered: Gathered, item: Item, paths: set[str]) -> str:
    """Declare it; its name, empty for the default exchange."""
    kind, name = item.text("type", "topic"), item.text("name", "") or ""
    if kind == "default" or not name or kind is None:
        return ""
    item.only(("name", "type", "durable", "autoDelete", "vhost", "bindingVersion"), "an exchange has no {}: it says nothing here")
    if item.get("type").value is None:
        item.leave_out(
            f"the type of exchange {scalar(name)}, of which the document says nothing: it is taken to be topic", matters=True
        )
    durable = _durable(gathered, item, f"exchange {scalar(name)}")
    gathered.declare(_vhost(item, paths), Exchange(name, kind, durable, item.flag("autoDelete", False)), item)
    return name


def _queue(gathered: Gathered, item: Item, paths: set[str]) -> str | None:
    name = item.text("name", "") or ""
    if not name:
        item.leave_out("a queue without a name: the broker makes one up")
        return None
    item.only(
        ("name", "durable", "exclusive", "autoDelete", "vhost", "bindingVersion"), "a queue has no {}: it says nothing here"
    )
    durable = _durable(gathered, item, f"queue {scalar(name)}")
    gathered.declare(
        _vhost(item, paths), Queue(name, durable, item.flag("exclusive", False), item.flag("autoDelete", False)), item
    )
    return name


def _durable(gathered: Gathered, item: Item, what: str) -> bool:
    if item.get("durable").value is None:
        gathered.leave_out(DURABLE.format(what))
    return item.flag("durable", True)


def _vhost(item: Item, paths: set[str]) -> str:
    vhost = item.text("vhost", "/") or "/"
    return vhost[1:] or "/" if vhost in paths else vhost


def _server_paths(document: Item) -> set[str]:
    """The paths of the servers' addresses, which some tools write for the virtual hosts that they stand for."""
    paths = {server.get("pathname").value for _, server in document.get("servers").named()}
    for _, server in document.get("servers").named():
        _, slash, path = str(server.get("url").value).partition("://")[2].partition("/")
        paths.add(slash + path)
    return {path for path in paths if isinstance(path, str) and path.startswith("/")}


def _keys(document: Item, name: str, channel: Item) -> list[str]:
    """The routing keys of a channel."""
    found: list[str] = []
    for operation in _operations(document, name, channel):
        bindings = _resolved(document, _resolved(document, operation.get("bindings")).get("amqp"))
        cc = bindings.get("cc")
        found += [
            each.own_text() or ""
            for each in (cc.listed() if isinstance(cc.value, list) else [cc] if cc.value is not None else [])
        ]
    if found:
        return list(dict.fromkeys(found))
    address = channel.get("address")
    if address.value is None and "address" in channel:
        return [""]
    if address.value is not None:
        return [address.own_text() or ""]
    return [name if str(document.get("asyncapi").value).startswith("2") else ""]


def _operations(document: Item, name: str, channel: Item) -> Iterator[Item]:
    yield from (channel.get(section) for section in SECTIONS)  # AsyncAPI 2
    for _, item in document.get("operations").named():
        operation = _resolved(document, item)
        if operation.get("channel", "$ref").value == f"#/channels/{_escaped(name)}":
            yield operation


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _resolved(document: Item, item: Item) -> Item:
    """What a reference within the document leads to."""
    for _ in range(DEEPEST):
        reference = item.get("$ref").value
        if not isinstance(reference, str):
            return item
        if not reference.startswith("#/"):
            item.leave_out(f"{scalar(reference)}: it stands in another file; bundle the document first", matters=True)
            return Item(item.notes, item.document, None, item.path)
        item = document.get(*(part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/")))
    item.error("wrong-value", "references that lead to each other")
    return Item(item.notes, item.document, None, item.path)
