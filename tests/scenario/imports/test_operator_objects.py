"""Objects of the messaging-topology-operator: its own examples in our words, its defaults, and what is wrong in a manifest."""

import pytest
from kits.foreign import read, refused, told, topology

from routesim.model import Binding, Exchange, Policy, Queue
from routesim.values import Typed

HEAD = "apiVersion: rabbitmq.com/v1beta1\n"


def manifest(kind: str, spec: str, name: str = "an-object") -> str:
    return f"{HEAD}kind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def test_what_does_not_say_that_it_is_durable_is_not():
    """As the operator hands it to the management API; 4.3 refuses such a queue, 4.0 does not."""
    text = manifest("Queue", "{name: q}")
    assert topology("topology-operator", text, rabbitmq="4.0").queues == (Queue("q", durable=False),)
    assert "transient" in refused("topology-operator", text, rabbitmq="4.3")[0].message


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("Exchange", "{name: x, durable: true}", Exchange("x", "direct")),
        ("Exchange", "{name: x, type: fanout, durable: true, autoDelete: true, arguments: {alternate-exchange: amq.fanout}}",
         Exchange("x", "fanout", auto_delete=True, arguments={"alternate-exchange": "amq.fanout"})),
        ("Queue", "{name: q, type: quorum, durable: true}", Queue("q", arguments={"x-queue-type": "quorum"})),
        ("Queue", "{name: q, type: stream, durable: true, arguments: {x-max-length-bytes: 1000000000}}",
         Queue("q", arguments={"x-max-length-bytes": 1_000_000_000, "x-queue-type": "stream"})),
        ("Policy", "{name: p, pattern: ^amq., definition: {expires: 1800000}}", Policy("p", "^amq.", {"expires": 1_800_000})),
        ("Policy", "{name: p, pattern: .*, applyTo: classic_queues, priority: 3, definition: {max-length: 1}}",
         Policy("p", ".*", {"max-length": 1}, "classic_queues", 3)),
        ("OperatorPolicy", "{name: p, pattern: ^abc, definition: {expires: 1800000}}",
         Policy("p", "^abc", {"expires": 1_800_000}, "queues", 0, True)),
    ],
)  # fmt: skip
def test_one_object(kind, spec, expected):
    found = topology("topology-operator", manifest(kind, spec))
    assert (*found.exchanges, *found.queues, *found.policies) == (expected,)


def test_a_binding_has_arguments_as_the_management_api_makes_them():
    text = manifest(
        "Binding", "{source: amq.headers, destination: q, destinationType: queue, routingKey: k, arguments: {n: 5, on: true}}"
    )
    found = topology("topology-operator", text, manifest("Queue", "{name: q, durable: true}"))
    assert found.bindings == (Binding("amq.headers", "q", "queue", "k", {"n": Typed("long", 5), "on": True}),)


def test_a_super_stream_is_named_after_its_object():
    found = topology("topology-operator", manifest("SuperStream", "{name: other, partitions: 2, routingKeys: [eu, us]}", "sales"))
    assert found.exchanges == (Exchange("sales", "direct"),)
    assert [queue.name for queue in found.queues] == ["sales-eu", "sales-us"]
    assert [(item.routing_key, item.arguments["x-stream-partition-order"].value) for item in found.bindings] == [
        ("eu", 0),
        ("us", 1),
    ]
    assert [item.routing_key for item in topology("topology-operator", manifest("SuperStream", "{name: s}")).bindings] == [
        "0",
        "1",
        "2",
    ]


def test_what_kubectl_prints_is_a_list():
    json = """{"apiVersion": "v1", "kind": "List", "items": [
      {"apiVersion": "rabbitmq.com/v1beta1", "kind": "Queue", "metadata": {"name": "a"}, "spec": {"name": "q", "durable": true},
       "status": {"conditions": []}}]}"""
    assert topology("topology-operator", json, file="all.json").queues == (Queue("q"),)


def test_documents_of_several_files_are_one_topology():
    queue, binding = (
        manifest("Queue", "{name: q, durable: true}"),
        manifest("Binding", "{source: x, destination: q, destinationType: queue}"),
    )
    found = topology("topology-operator", f"---\n{binding}---\n{queue}---\n", manifest("Exchange", "{name: x, durable: true}"))
    assert len(found.bindings) == 1


def test_a_vhost_has_the_default_queue_type_of_its_object():
    text = manifest("Vhost", "{name: shop, defaultQueueType: quorum, limits: {queues: 5}}") + "---\n"
    found = read("topology-operator", text + manifest("Queue", "{name: q, vhost: shop, durable: true}"))
    assert (found.topology.vhost, found.topology.default_queue_type) == ("shop", "quorum")
    assert found.left_out == ("limits of vhost shop: they are not simulated",)


def test_what_is_not_carried_over_is_told_without_its_values():
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n---\n"
    others = "---\n".join(manifest(kind, "{name: n}") for kind in ("User", "Permission", "Federation", "Shovel"))
    found = read("topology-operator", secret + others + "---\n" + manifest("Queue", "{name: q, durable: true}"))
    assert found.left_out == (
        "Secret: it is no part of a topology, and nothing in it was looked at",
        "User: there is no access control here",
        "Permission: there is no access control here",
        "Federation an-object: federation is not simulated",
        "Shovel an-object: shovels are not simulated",
    )


def test_objects_for_several_clusters_are_told():
    of = "{{name: {}, durable: true, rabbitmqClusterReference: {{name: {}, namespace: mq}}}}"
    texts = [manifest("Queue", of.format(queue, cluster)) for queue, cluster in (("a", "one"), ("b", "two"), ("c", "three"))]
    (sentence,) = read("topology-operator", *texts).left_out
    assert "mq/two is named beside mq/one" in sentence


def test_a_binding_to_what_is_not_declared_is_left_out():
    found = read("topology-operator", manifest("Queue", "{name: q, durable: true}"), manifest("Binding", "{source: ordrs, destination: q, destinationType: queue}"),
                 manifest("Exchange", "{name: orders, durable: true}"))  # fmt: skip
    assert found.left_out == ("a binding of 'q' to 'ordrs': no exchange 'ordrs' is declared here; did you mean 'orders'?",)


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (manifest("Queu", "{name: q}"), ["file.yaml:2:7 wrong-value the operator has no kind 'Queu'; did you mean 'Queue'?"]),
        (manifest("Queue", "{durable: true}"), ["file.yaml:4:1 missing-key 'spec' needs 'name'"]),
        (manifest("Queue", "{name: 5, durable: maybe}"),
         ["file.yaml:4:14 wrong-type 'name' must be text; write it in quotes", "file.yaml:4:26 wrong-type 'durable' must be true or false"]),
        (manifest("Binding", "{source: a, destination: b, destinationType: topic}"),
         ["file.yaml:4:52 wrong-value destinationType is queue or exchange"]),
        (manifest("Policy", "{name: p, pattern: .*}"), ["file.yaml:4:1 missing-key a policy needs a 'definition'"]),
        (f"{HEAD}kind: Queue\nmetadata: {{name: a}}\n", ["file.yaml:1:1 missing-key this Queue needs a 'spec'"]),
        (manifest("Queue", "{name: q, durable: true, arguments: {x-message-ttl: -1}}"),
         ["file.yaml:4:59 refused PRECONDITION_FAILED - invalid arg 'x-message-ttl' for queue 'q' in vhost '/': {value_negative,-1}"]),
        (manifest("Queue", "{name: q, durable: true}") + "---\n" + manifest("Queue", "{name: q, durable: true, autoDelete: true}"),
         ["file.yaml:9:1 refused queue 'q' is declared with other properties at file.yaml:4: RabbitMQ refuses the second with "
          "PRECONDITION_FAILED; declare it the same way"]),
        (manifest("User", "{}"), ["file.yaml:1:1 empty-file nothing of a topology is declared here; left out: User: there is no access control here"]),
        (manifest("SuperStream", "{partitions: 1000000000}"), ["file.yaml:4:20 wrong-value expected 0 to 10,000 partitions"]),
        ("apiVersion: rabbitmq.com/v1beta1\nkind: Queue\n  spec: {", ["file.yaml:3:7 yaml-syntax mapping values are not allowed in this context; quote text that contains ': ', or check the indentation"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_stands(text, errors):
    assert told("topology-operator", text) == errors


def test_an_unknown_field_is_what_kubernetes_makes_of_it():
    (warning,) = read("topology-operator", manifest("Queue", "{name: q, durable: true, auto_delete: true}")).warnings
    assert (warning.code, warning.cure) == ("unknown-key", "did you mean 'autoDelete'?")


HELM = (
    HEAD
    + """kind: Queue
metadata: {name: {{ .Release.Name }}-orders}
spec:
  name: {{ .Values.queue }}
"""
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (HELM, "3:18"),
        ("{{- range .Values.queues }}\n" + HELM + "{{- end }}", "1:1"),
        (manifest("Queue", '{name: "{{ .Values.queue }}", durable: true}'), "4:14"),
    ],
)
def test_a_template_of_helm_is_named(text, place):
    (error,) = told("topology-operator", text)
    assert error.startswith(f"file.yaml:{place} template ")
    assert "this is a template of Helm" in error
    assert error.endswith("`helm template CHART` renders it")
