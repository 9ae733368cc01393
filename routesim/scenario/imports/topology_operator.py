"""Objects of RabbitMQ's messaging-topology-operator (rabbitmq.com/v1beta1): Queue, Exchange, Binding, Policy, Vhost and more.

The operator hands each object's spec to the management API, with the defaults of its custom resource definitions: what does
not say that it is durable is not.
"""

from collections.abc import Callable

from routesim.diagnostics import did_you_mean
from routesim.model import Binding, Exchange, Policy, Queue
from routesim.scenario.imports.gathered import Gathered
from routesim.scenario.imports.items import Item
from routesim.scenario.yaml.writing import scalar
from routesim.values import Typed

GROUP = "rabbitmq.com/"
COMMON = ("rabbitmqClusterReference", "vhost", "name")
KUSTOMIZE = "kustomize.config.k8s.io/"
PRUNED = "has no {}: Kubernetes passes over it"
MOST_PARTITIONS = 10_000
ACCESS = "there is no access control here"
# What the operator makes that is no topology, or moves messages in a way that is not simulated.
NOT_CARRIED = {
    "User": ACCESS, "Permission": ACCESS, "TopicPermission": ACCESS, "SchemaReplication": "there is one cluster here",
    "RabbitmqCluster": "it is the broker itself, whose settings are not looked at",
}  # fmt: skip
NOT_SIMULATED = {"Federation": "federation is not simulated", "Shovel": "shovels are not simulated"}


def read(gathered: Gathered, document: Item) -> None:
    if not isinstance(document.value, dict):
        document.error("wrong-type", "expected an object of Kubernetes: apiVersion, kind, metadata, spec")
        return
    version, kind = str(document.value.get("apiVersion", "")), str(document.value.get("kind", ""))
    if kind == "List" or (kind.endswith("List") and "items" in document):  # as `kubectl get -o yaml` prints several
        for item in document.get("items").listed():
            read(gathered, item)
    elif version.startswith(KUSTOMIZE):
        for key in (
            "patches",
            "patchesStrategicMerge",
            "patchesJson6902",
            "namePrefix",
            "nameSuffix",
            "components",
            "generators",
        ):
            if key in document:
                document.get(key).leave_out(f"{key} of a kustomization: give what `kustomize build` prints", matters=True)
    elif not version.startswith(GROUP):
        kinds = scalar(kind or "an object without a kind")
        gathered.leave_out(f"{kinds}: it is no part of a topology, and nothing in it was looked at")
    elif kind in READERS or kind == "SuperStream":
        spec = document.get("spec")
        if not isinstance(spec.value, dict):
            document.error("missing-key", f"this {kind} needs a 'spec'")
            return
        if kind == "SuperStream":
            _super_stream(gathered, spec, document.get("metadata").name())
        else:
            READERS[kind](gathered, spec)
        _of_cluster(gathered, spec)
    elif kind in NOT_SIMULATED:
        document.leave_out(f"{kind} {_object(document)}: {NOT_SIMULATED[kind]}", matters=True)
    elif kind in NOT_CARRIED:
        gathered.leave_out(f"{kind}: {NOT_CARRIED[kind]}")
    else:
        known = (*READERS, "SuperStream", *NOT_SIMULATED, *NOT_CARRIED)
        document.get("kind").error("wrong-value", f"the operator has no kind '{kind}'", did_you_mean(kind, known))


def _object(document: Item) -> str:
    """The name of the object itself, which is no secret."""
    name = document.get("metadata", "name").value
    return scalar(name) if isinstance(name, str) else "without a name"


def _of_cluster(gathered: Gathered, spec: Item) -> None:
    reference = spec.get("rabbitmqClusterReference")
    name = reference.get("name").value
    if not isinstance(name, str):
        return
    where = reference.get("namespace").value
    broker = f"{where}/{name}" if isinstance(where, str) else name
    known = list(gathered.brokers)
    if broker in known:
        return
    gathered.brokers[broker] = None
    if len(known) == 1:
        sentence = (
            f"which cluster an object is for: all is taken for one's, though {scalar(broker)} is named beside {scalar(known[0])}"
        )
        reference.leave_out(sentence, matters=True)


# One function a kind -------------------------------------------------------------------------------------------------


def _queue(gathered: Gathered, spec: Item) -> None:
    own = ("type", "durable", "autoDelete", "deleteIfEmpty", "deleteIfUnused", "arguments", "deletionPolicy")
    spec.only((*COMMON, *own), f"a Queue {PRUNED}")
    name, kind, arguments = spec.name(), spec.text("type"), spec.table()
    durable, auto_delete = spec.flag("durable", False), spec.flag("autoDelete", False)
    if kind:
        arguments["x-queue-type"] = kind
    if name is not None:
        gathered.declare(_vhost(spec), Queue(name, durable, False, auto_delete, arguments), spec)


def _exchange(gathered: Gathered, spec: Item) -> None:
    spec.only((*COMMON, "type", "durable", "autoDelete", "arguments"), f"an Exchange {PRUNED}")
    name, kind = spec.name(), spec.text("type", "direct")
    durable, auto_delete = spec.flag("durable", False), spec.flag("autoDelete", False)
    if name is not None and kind is not None:
        gathered.declare(_vhost(spec), Exchange(name, kind, durable, auto_delete, False, spec.table()), spec)


def _binding(gathered: Gathered, spec: Item) -> None:
    own = ("rabbitmqClusterReference", "vhost", "source", "destination", "destinationType", "routingKey", "arguments")
    spec.only(own, f"a Binding {PRUNED}")
    source, destination, kind = spec.name("source"), spec.name("destination"), spec.name("destinationType")
    if kind not in (None, "queue", "exchange"):
        spec.get("destinationType").error("wrong-value", "destinationType is queue or exchange")
    elif source is not None and destination is not None and kind is not None:
        key = spec.text("routingKey", "") or ""
        gathered.declare(_vhost(spec), Binding(source, destination, kind, key, spec.table(wide=True)), spec)


def _policy(gathered: Gathered, spec: Item, *, operator: bool = False) -> None:
    spec.only(
        (*COMMON, "pattern", "applyTo", "priority", "definition"), f"{'an OperatorPolicy' if operator else 'a Policy'} {PRUNED}"
    )
    name, pattern = spec.name(), spec.name("pattern")
    if not isinstance(spec.get("definition").value, dict):
        spec.get("definition").error("missing-key", "a policy needs a 'definition'")
    elif name is not None and pattern is not None:
        apply_to = spec.text("applyTo", "queues" if operator else "all") or "all"
        definition = spec.table("definition")
        gathered.declare(_vhost(spec), Policy(name, pattern, definition, apply_to, spec.number("priority", 0), operator), spec)


def _vhost_object(gathered: Gathered, spec: Item) -> None:
    own = ("name", "tracing", "tags", "defaultQueueType", "rabbitmqClusterReference", "deletionPolicy", "limits")
    spec.only(own, f"a Vhost {PRUNED}")
    name, kind = spec.name(), spec.text("defaultQueueType")
    if name is None:
        return
    gathered.more_vhosts.append(name)
    if kind in ("classic", "quorum", "stream"):
        gathered.queue_types[name] = kind
    elif kind is not None:
        spec.get("defaultQueueType").error("wrong-value", "defaultQueueType is classic, quorum or stream")
    if spec.get("limits").value:
        spec.get("limits").leave_out(f"limits of vhost {scalar(name)}: they are not simulated", matters=True)


def _super_stream(gathered: Gathered, spec: Item, name: str | None) -> None:
    """An exchange, and a stream with a binding for each partition, named after the object, as the operator makes them."""
    spec.only((*COMMON, "partitions", "routingKeys"), f"a SuperStream {PRUNED}")
    vhost, partitions = _vhost(spec), spec.number("partitions", 3)
    given = [item.own_text() or "" for item in spec.get("routingKeys").listed()]
    if not 0 <= partitions <= MOST_PARTITIONS or partitions != int(partitions):
        spec.get("partitions").error("wrong-value", f"expected 0 to {MOST_PARTITIONS:,} partitions")
        return
    keys = given or [str(index) for index in range(int(partitions))]
    if len(keys) != partitions:
        spec.get("routingKeys").error("wrong-value", f"there are {len(keys)} routing keys for {partitions:g} partitions")
    if name is None:
        return
    gathered.declare(vhost, Exchange(name, "direct"), spec)
    for index, key in enumerate(keys):
        stream = f"{name}-{key}"
        gathered.declare(vhost, Queue(stream, arguments={"x-queue-type": "stream"}), spec)
        order = {"x-stream-partition-order": Typed("long", index)}
        gathered.declare(vhost, Binding(name, stream, "queue", key, order), spec)


READERS: dict[str, Callable[[Gathered, Item], None]] = {
    "Queue": _queue, "Exchange": _exchange, "Binding": _binding, "Policy": _policy,
    "OperatorPolicy": lambda gathered, spec: _policy(gathered, spec, operator=True),
    "Vhost": _vhost_object,
}  # fmt: skip


def _vhost(spec: Item) -> str:
    return spec.text("vhost", "/") or "/"
