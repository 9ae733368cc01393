"""Rascal's configuration as JSON: what it asserts when its broker is created (lib/config/configure.js, lib/amqp/tasks).

Names may have a namespace before them, and options are those of amqplib: whatever says nothing is durable.
"""

import re
from collections.abc import Iterator
from typing import Any

from routesim.diagnostics import did_you_mean
from routesim.model import Binding, Exchange, Queue
from routesim.scenario.imports.gathered import Gathered
from routesim.scenario.imports.items import Item
from routesim.scenario.yaml.writing import scalar
from routesim.values import Value

ARROW = re.compile(r"(?P<source>[\w:.\-]+)\s*(?:\[\s*(?P<keys>.*)\s*\])?\s*->\s*(?P<destination>[\w:.\-]+)")
# Options of amqplib that it makes arguments of (lib/api_args.js).
QUEUE_ARGUMENTS = {
    "expires": "x-expires", "messageTtl": "x-message-ttl", "deadLetterExchange": "x-dead-letter-exchange",
    "deadLetterRoutingKey": "x-dead-letter-routing-key", "maxLength": "x-max-length", "maxPriority": "x-max-priority",
    "overflow": "x-overflow", "queueMode": "x-queue-mode",
}  # fmt: skip
EXCHANGE_ARGUMENTS = {"alternateExchange": "alternate-exchange"}
# What else stands there Rascal refuses (lib/config/validate.js); clients' sections are read from there first.
OF_ALL = ("fullyQualifiedName", "name", "options")
KNOWN = {
    "exchanges": (*OF_ALL, "assert", "check", "type"), "queues": (*OF_ALL, "assert", "check", "type", "purge", "replyTo"),
    "bindings": (*OF_ALL, "source", "destination", "destinationType", "bindingKey", "bindingKeys", "qualifyBindingKeys"),
}  # fmt: skip
CLIENTS = ("publications", "subscriptions", "shovels")


def read(gathered: Gathered, document: Item) -> None:
    config = document.get("rascal") if "rascal" in document else document
    for name, vhost in config.get("vhosts").named():
        _Vhost(gathered, config, name, vhost).read()
    for section in CLIENTS:
        own = [vhost.get(section).value for _, vhost in config.get("vhosts").named()]
        if config.get(section).value or any(own):
            gathered.leave_out(f"{section}: what clients send and take is written as steps and consumers")


class _Vhost:
    def __init__(self, gathered: Gathered, config: Item, name: str, item: Item) -> None:
        self.gathered = gathered
        self.name = name
        self.item = item
        self.defaults = (item.get("defaults"), config.get("defaults", "vhosts"))
        namespace = item.get("namespace")
        if namespace.value is None:
            namespace = config.get("defaults", "vhosts", "namespace")
        self.namespace = ""
        if namespace.value is True:
            namespace.leave_out(
                f"the namespace of vhost {scalar(name)}: one that is made up at each start stands before its names", matters=True
            )
        elif namespace.value:
            self.namespace = namespace.own_text() or ""
        self.exchanges: dict[str, str] = {"": ""}  # name -> the name that the broker gets
        self.queues: dict[str, str] = {}

    def read(self) -> None:
        for section, known in KNOWN.items():
            for _, item in _keyed(self.item.get(section)):
                item.only(known, "Rascal refuses {}: there is no such attribute", refused=True)
        for name, item in _keyed(self.item.get("exchanges")):
            self.exchanges[name] = self.qualified(name)
            if name and self.asserted("exchanges", item, f"exchange {scalar(name)}"):
                options, where = self.options("exchanges", item)
                kind = item.text("type") or self.default("exchanges", "type") or "topic"
                flags = options.flag("durable", True), options.flag("autoDelete", False), options.flag("internal", False)
                arguments = self.arguments(options, EXCHANGE_ARGUMENTS)
                self.gathered.declare(self.name, Exchange(self.exchanges[name], str(kind), *flags, arguments), where)
        for name, item in _keyed(self.item.get("queues")):
            self.queues[name] = self.qualified(name)
            reply = item.get("replyTo").value
            if reply is True:
                item.leave_out(f"queue {scalar(name)}: what is made up at each start stands behind its name", matters=True)
            elif isinstance(reply, str):
                self.queues[name] = f"{self.queues[name]}:{reply}"
            if self.asserted("queues", item, f"queue {scalar(name)}"):
                options, where = self.options("queues", item)
                flags = options.flag("durable", True), options.flag("exclusive", False), options.flag("autoDelete", False)
                arguments = self.arguments(options, QUEUE_ARGUMENTS)
                self.gathered.declare(self.name, Queue(self.queues[name], *flags, arguments), where)
        for name, item in _keyed(self.item.get("bindings")):
            self.binding(name, item)

    def binding(self, name: str, item: Item) -> None:
        written = ARROW.search(name)
        source = item.text("source", written["source"] if written else None)
        destination = item.text("destination", written["destination"] if written else None)
        if source is None or destination is None:
            item.error(
                "wrong-value", f"binding {scalar(name)} names no source and destination", "write `source[key] -> destination`"
            )
            return
        kind = item.text("destinationType") or self.default("bindings", "destinationType") or "queue"
        if kind not in ("queue", "exchange"):
            item.get("destinationType").error("wrong-value", "destinationType is queue or exchange")
            return
        known = self.queues if kind == "queue" else self.exchanges
        for what, wanted, names in (("exchange", source, self.exchanges), (kind, destination, known)):
            if wanted not in names:
                item.error(f"unknown-{what}", f"Rascal refuses this binding: no {what} '{wanted}'", did_you_mean(wanted, names))
                return
        options, where = self.options("bindings", item)
        qualifies = item.flag("qualifyBindingKeys", self.default("bindings", "qualifyBindingKeys") is True)
        for key in self.keys(item, written["keys"] if written else None):
            key = self.qualified(key) if qualifies else key
            self.gathered.declare(
                self.name,
                Binding(
                    self.exchanges[source],
                    known[destination],
                    str(kind),
                    key,
                    {str(key): each.argument() for key, each in options.named()},
                ),
                where,
            )

    def keys(self, item: Item, written: str | None) -> list[str]:
        listed = item.get("bindingKeys")
        several = [listed] if isinstance(listed.value, str) else listed.listed()
        found = [each.own_text() or "" for each in several]
        one = item.text("bindingKey")
        found += [one] if one else []
        found += [key for key in re.split(r"[,\s]+", written or "") if key]
        found = [key for key in dict.fromkeys(found) if key]
        default = self.default("bindings", "bindingKey")
        return found or [one if one is not None else default if isinstance(default, str) else "#"]

    # Defaults --------------------------------------------------------------------------------------------------------

    def qualified(self, name: str) -> str:
        return f"{self.namespace}:{name}" if self.namespace and name else name

    def default(self, section: str, key: str) -> Any:
        return next((found.get(section, key).value for found in self.defaults if found.get(section, key).value is not None), None)

    def asserted(self, section: str, item: Item, what: str) -> bool:
        """Whether Rascal declares it."""
        default = self.default(section, "assert")
        if item.flag("assert", default if isinstance(default, bool) else True):
            return True
        item.leave_out(f"{what}: Rascal does not assert it", matters=True)
        return False

    def options(self, section: str, item: Item) -> tuple[Item, Item]:
        """The options with their defaults, and where they are written."""
        given, value = item.get("options"), item.get("options").value
        for found in self.defaults:
            value = _defaulted(value, found.get(section, "options").value)
        where = given if given.value is not None else item
        return Item(self.gathered, item.document, value if value is not None else {}, given.path), where

    def arguments(self, options: Item, own: dict[str, str]) -> dict[str, Value]:
        found = options.table()
        dead = found.get("x-dead-letter-exchange")
        if isinstance(dead, str):
            found["x-dead-letter-exchange"] = self.qualified(dead)
        promoted = {name: options.get(key) for key, name in own.items() if options.get(key).value is not None}
        return {**found, **{name: item.argument() for name, item in promoted.items()}}


def _keyed(collection: Item) -> Iterator[tuple[str, Item]]:
    """A mapping by names, or a list of names and of mappings with a `name`."""
    if not isinstance(collection.value, list):
        yield from collection.named()
        return
    for item in collection.listed():
        if isinstance(item.value, str):
            yield item.value, Item(item.notes, item.document, {}, item.path)
        else:
            name = item.name()
            if name is not None:
                yield name, item


def _defaulted(value: Any, default: Any) -> Any:
    """lodash's `defaultsDeep`."""
    if isinstance(value, dict) and isinstance(default, dict):
        return {**value, **{key: _defaulted(value.get(key), inner) for key, inner in default.items()}}
    return default if value is None else value
