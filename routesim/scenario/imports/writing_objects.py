"""A definitions document as objects of the messaging-topology-operator for Kubernetes: the way back of `topology_operator`."""

import re
from collections.abc import Iterator
from typing import Any

from routesim.diagnostics import WARNING, Diagnostic, Place
from routesim.scenario.yaml.writing import lines

API = "rabbitmq.com/v1beta1"
LONGEST = 253  # of the name of an object
NOT_IN_A_NAME = re.compile(r"[^a-z0-9.-]+")
ENDS = re.compile(r"^[^a-z0-9]+|[^a-z0-9]+$")
AROUND_DOTS = re.compile(r"[-.]*\.[-.]*")


class KubernetesObjects:
    """`warnings`: what an object cannot say; `file`: whose that is."""

    def __init__(self, document: dict[str, Any], cluster: str, file: str) -> None:
        self.document = document
        self.cluster = cluster
        self.file = file
        self.warnings: list[Diagnostic] = []
        self.names: set[tuple[str, str]] = set()
        self.objects = list(self._objects())

    def lines(self, *, ascii: bool = False) -> Iterator[str]:
        """YAML, a document an object."""
        for number, each in enumerate(self.objects):
            if number:
                yield "---"
            yield from (line for line in lines(each, ascii=ascii) if line)

    def _objects(self) -> Iterator[dict[str, Any]]:
        for vhost in self.document["vhosts"]:
            kind = vhost.get("metadata", {}).get("default_queue_type")
            if vhost["name"] != "/" or kind is not None:
                yield self._object("Vhost", vhost["name"], {"name": vhost["name"], **_given(defaultQueueType=(kind, None))})
        for item in self.document["exchanges"]:
            if item["internal"]:
                self._warn(f"exchange '{item['name']}' is not internal there: the operator has no such property")
            yield self._declared("Exchange", item, {"type": item["type"]})
        for item in self.document["queues"]:
            arguments = dict(item["arguments"])
            kind = arguments.pop("x-queue-type", None)
            if kind is not None and not isinstance(kind, str):
                arguments["x-queue-type"], kind = kind, None
            yield self._declared("Queue", {**item, "arguments": arguments}, _given(type=(kind, None)))
        for item in self.document["bindings"]:
            spec = {"source": item["source"], "destination": item["destination"], "destinationType": item["destination_type"]}
            spec |= _given(routingKey=(item["routing_key"], ""), arguments=(item["arguments"], {}))
            yield self._object("Binding", f"{item['source']}-{item['destination']}", {**self._vhost(item), **spec})
        for item in self.document["policies"]:
            yield self._policy("Policy", item, item["name"], item["vhost"])
        for item in self.document["parameters"]:
            yield self._policy("OperatorPolicy", item["value"], item["name"], item["vhost"])

    def _declared(self, kind: str, item: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
        """What is durable says so: to the operator nothing else is."""
        options = _given(autoDelete=(item["auto_delete"], False), arguments=(item["arguments"], {}))
        return self._object(
            kind, item["name"], {"name": item["name"], **self._vhost(item), **own, "durable": item["durable"], **options}
        )

    def _policy(self, kind: str, body: dict[str, Any], name: str, vhost: str) -> dict[str, Any]:
        apply_to, priority = body["apply-to"], body["priority"]
        if kind == "OperatorPolicy" and apply_to == "all":
            apply_to = "queues"  # it applies to nothing else anyway
        if priority != int(priority):
            self._warn(f"the priority {priority} of policy '{name}' is {int(priority)} there: the operator takes whole numbers")
        spec = {
            "name": name, **self._vhost({"vhost": vhost}), "pattern": body["pattern"], "applyTo": apply_to,
            "priority": int(priority), "definition": body["definition"],
        }  # fmt: skip
        return self._object(kind, name, spec)

    def _object(self, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        reference = {"rabbitmqClusterReference": {"name": self.cluster}}
        return {"apiVersion": API, "kind": kind, "metadata": {"name": self._named(kind, name)}, "spec": {**spec, **reference}}

    def _named(self, kind: str, name: str) -> str:
        """A name that an object may have, and none of its kind has."""
        plain = AROUND_DOTS.sub(".", NOT_IN_A_NAME.sub("-", name.lower()))
        plain = ENDS.sub("", plain[: LONGEST - 8]) or kind.lower()
        found, number = plain, 1
        while (kind, found) in self.names:
            number += 1
            found = f"{plain}-{number}"
        self.names.add((kind, found))
        return found

    @staticmethod
    def _vhost(item: dict[str, Any]) -> dict[str, Any]:
        return _given(vhost=(item["vhost"], "/"))

    def _warn(self, message: str) -> None:
        self.warnings.append(Diagnostic(WARNING, "changed-by-export", message, Place(self.file, 0, 1)))


def _given(**options: tuple[Any, Any]) -> dict[str, Any]:
    """The options that differ from their defaults."""
    return {name: value for name, (value, default) in options.items() if value != default}
