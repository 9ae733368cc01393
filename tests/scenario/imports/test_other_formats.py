"""Terraform's states, Rascal's configuration and AsyncAPI documents: what they declare, and what is wrong in them."""

import json

import pytest
from kits.foreign import declared, read, told, topology

from routesim.model import Binding, Exchange, Policy, Queue
from routesim.values import Typed


def resource(kind: str, values: object, mode: str = "managed") -> dict[str, object]:
    return {"address": f"{kind}.x", "mode": mode, "type": kind, "name": "x", "values": values}


def settings(**given: object) -> list[dict[str, object]]:
    return [{"durable": True, "auto_delete": False, **given}]


RESOURCES = [
    resource("rabbitmq_vhost", {"name": "shop", "default_queue_type": "quorum", "max_queues": "5"}),
    resource("rabbitmq_exchange", {"name": "x", "vhost": "shop", "settings": settings(type="headers", arguments={"alternate-exchange": "amq.fanout"})}),
    resource("rabbitmq_queue", {"name": "q", "vhost": "shop", "settings": settings(arguments_json='{"x-max-length": 5}')}),
    resource("rabbitmq_queue", {"name": "r", "vhost": "shop", "settings": settings(arguments={"x-overflow": "drop-head"}, arguments_json="")}),
    resource("rabbitmq_binding", {"source": "x", "destination": "q", "destination_type": "queue", "vhost": "shop",
                                  "routing_key": "", "arguments_json": '{"n": 1}'}),
    resource("rabbitmq_policy", {"name": "p", "vhost": "shop", "policy": [
        {"pattern": ".*", "priority": 1, "apply_to": "queues", "definition": {"max-length": "10", "overflow": "drop-head"}}]}),
    resource("rabbitmq_operator_policy", {"name": "o", "vhost": "shop", "policy": [
        {"pattern": "^q", "priority": 0, "apply_to": "queues", "definition": {"max-length": "9"}}]}),
    resource("rabbitmq_user", {"name": "shop", "password": "hunter2"}),
    resource("rabbitmq_shovel", {"name": "s", "info": [{"source_uri": "amqp://u:hunter2@h"}]}),
    resource("rabbitmq_queue", {"name": "read", "vhost": "shop"}, "data"),
    resource("aws_secret", {"secret_string": "hunter2"}),
]  # fmt: skip
FORMS = {
    "state": {"terraform_version": "1.9", "values": {"root_module": {"resources": RESOURCES}}},
    "modules": {"terraform_version": "1.9", "values": {"root_module": {"child_modules": [
        {"resources": RESOURCES[:3], "child_modules": [{"resources": RESOURCES[3:]}]}]}}},
    "plan": {"terraform_version": "1.9", "planned_values": {"root_module": {"resources": RESOURCES}}},
    "file": {"version": 4, "terraform_version": "1.9", "resources": [
        {"mode": each["mode"], "type": each["type"], "name": "x", "instances": [{"attributes": each["values"]}]} for each in RESOURCES]},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_state_a_plan_and_a_state_file_say_the_same(form):
    found = read("terraform", json.dumps(FORMS[form]), file="tf.json")
    assert found.topology.default_queue_type == "quorum"
    assert found.topology.exchanges == (Exchange("x", "headers", arguments={"alternate-exchange": "amq.fanout"}),)
    assert found.topology.queues == (Queue("q", arguments={"x-max-length": 5}), Queue("r", arguments={"x-overflow": "drop-head"}))
    assert found.topology.bindings == (Binding("x", "q", "queue", "", {"n": Typed("long", 1)}),)
    assert found.topology.policies == (
        Policy("p", ".*", {"max-length": 10, "overflow": "drop-head"}, "queues", 1),
        Policy("o", "^q", {"max-length": 9}, "queues", 0, True),
    )
    assert found.left_out == (
        "limits of vhost shop: they are not simulated",
        "rabbitmq_user: there is no access control here",
        "rabbitmq_shovel: shovels are not simulated",
        "resources of other providers, 1 of them: nothing in them was looked at",
    )


def test_a_number_that_terraform_made_a_text_is_refused_as_the_broker_refuses_it():
    state = {"terraform_version": "1", "values": {"root_module": {"resources": [
        resource("rabbitmq_queue", {"name": "q", "vhost": "/", "settings": settings(arguments={"x-max-length": "5"})})]}}}  # fmt: skip
    (error,) = told("terraform", json.dumps(state), file="tf.json")
    assert "invalid arg 'x-max-length' for queue 'q' in vhost '/': \"expected integer, got longstr\"" in error


def test_what_is_wrong_in_a_state_is_told_without_what_stands_there():
    values = {"vhost": "/", "settings": settings(arguments_json='{"password": hunter2')}
    state = {"terraform_version": "1", "values": {"root_module": {"resources": [resource("rabbitmq_queue", values)]}}}
    errors = told("terraform", json.dumps(state), file="tf.json")
    assert [error.partition(" ")[2] for error in errors] == [
        "missing-key this resource has no 'name': its value is only known after `terraform apply`",
        "not-json arguments_json is no JSON",
    ]
    assert told("terraform", '{"terraform_version": "1", "x": hunter2}', file="tf.json") == [
        "tf.json:1:33 not-json this is not JSON: Expecting value"
    ]


# Rascal --------------------------------------------------------------------------------------------------------------


def rascal(vhost: dict[str, object], **more: object) -> str:
    return json.dumps({"vhosts": {"v1": vhost}, **more}, indent=1)


def test_rascal_has_lists_mappings_and_arrows():
    found = topology("rascal", rascal({
        "connection": {"url": "amqp://u:hunter2@h"},
        "exchanges": ["a", {"name": "b", "type": "fanout", "options": {"durable": False, "alternateExchange": "a"}}],
        "queues": {"q": {"options": {"deadLetterExchange": "b", "messageTtl": 5, "arguments": {"x-max-length": 3}}}, "r": {}},
        "bindings": ["a[x.#, y] -> q", "b -> r", {"name": "c", "source": "a", "destination": "b", "destinationType": "exchange",
                                                  "bindingKeys": ["k", "l"], "options": {"n": 1}}],
    }), file="rascal.json")  # fmt: skip
    assert found.vhost == "v1"
    assert found.exchanges == (
        Exchange("a", "topic"),
        Exchange("b", "fanout", durable=False, arguments={"alternate-exchange": "a"}),
    )
    assert found.queues == (
        Queue("q", arguments={"x-max-length": 3, "x-message-ttl": 5, "x-dead-letter-exchange": "b"}), Queue("r"),
    )  # fmt: skip
    assert found.bindings == (
        Binding("a", "q", "queue", "x.#"), Binding("a", "q", "queue", "y"), Binding("b", "r", "queue", "#"),
        Binding("a", "b", "exchange", "k", {"n": 1}), Binding("a", "b", "exchange", "l", {"n": 1}),
    )  # fmt: skip


def test_a_namespace_stands_before_the_names_and_their_dead_letter_exchange():
    found = topology("rascal", rascal({
        "namespace": "dev", "exchanges": ["a", ""], "queues": {"q": {"replyTo": "me", "options": {"arguments": {"x-dead-letter-exchange": "a"}}}},
        "bindings": {"a -> q": {"bindingKey": "k", "qualifyBindingKeys": True}},
    }), file="rascal.json")  # fmt: skip
    assert found.exchanges[0].name == "dev:a"
    assert found.queues == (Queue("dev:q:me", arguments={"x-dead-letter-exchange": "dev:a"}),)
    assert found.bindings == (Binding("dev:a", "dev:q:me", "queue", "dev:k"),)


def test_defaults_of_all_vhosts_and_of_one():
    defaults = {"vhosts": {"exchanges": {"type": "direct", "options": {"durable": False}}, "bindings": {"bindingKey": "d"}}}
    own = {"queues": {"options": {"arguments": {"x-max-length": 1}}}}
    found = topology(
        "rascal",
        rascal({"defaults": own, "exchanges": ["a"], "queues": ["q"], "bindings": ["a -> q"]}, defaults=defaults),
        file="r.json",
    )
    assert found.exchanges == (Exchange("a", "direct", durable=False),)
    assert found.queues == (Queue("q", arguments={"x-max-length": 1}),)
    assert found.bindings == (Binding("a", "q", "queue", "d"),)


def test_what_rascal_makes_up_or_does_not_assert_is_told():
    found = read("rascal", rascal({
        "namespace": True, "exchanges": ["a", {"name": "b", "assert": False}], "queues": {"q": {"replyTo": True}},
        "subscriptions": {"s": {"queue": "q"}},
    }), file="rascal.json")  # fmt: skip
    assert found.left_out == (
        "the namespace of vhost v1: one that is made up at each start stands before its names",
        "exchange b: Rascal does not assert it",
        "queue q: what is made up at each start stands behind its name",
        "subscriptions: what clients send and take is written as steps and consumers",
    )


def test_what_rascal_refuses_is_refused():
    assert told(
        "rascal", rascal({"exchanges": ["orders"], "queues": ["q"], "bindings": ["ordrs -> q", "nonsense"]}), file="r.json"
    ) == [
        "r.json:11:5 unknown-exchange Rascal refuses this binding: no exchange 'ordrs'; did you mean 'orders'?",
        "r.json:12:5 wrong-value binding nonsense names no source and destination; write `source[key] -> destination`",
    ]


def test_an_attribute_that_rascal_does_not_know_is_refused():
    (error,) = told(
        "rascal", rascal({"exchanges": ["a"], "queues": {"q": {"optoins": {}}}, "bindings": ["a -> q"]}), file="r.json"
    )
    assert error.partition(" ")[2] == "unknown-key Rascal refuses 'optoins': there is no such attribute; did you mean 'options'?"


# AsyncAPI ------------------------------------------------------------------------------------------------------------

V2 = """
asyncapi: 2.6.0
channels:
  order.paid:
    bindings: {$ref: '#/components/channelBindings/orders'}
    subscribe: {bindings: {amqp: {cc: [a, b]}}}
  order.late:
    bindings: {$ref: '#/components/channelBindings/orders'}
  mails:
    bindings: {amqp: {is: queue, queue: {name: mails, durable: false, vhost: /}}}
  other:
    bindings: {kafka: {}}
components:
  channelBindings:
    orders:
      amqp: {is: routingKey, exchange: {name: orders, type: direct}, queue: {name: q, exclusive: false, durable: true}}
"""


def test_asyncapi_2_binds_by_the_keys_of_operations_else_by_the_name_of_the_channel():
    found = read("asyncapi", V2, rabbitmq="3.13")
    assert found.topology.exchanges == (Exchange("orders", "direct"),)
    assert found.topology.queues == (Queue("q"), Queue("mails", durable=False))
    assert [item.routing_key for item in found.topology.bindings] == ["a", "b", "order.late"]
    assert [sentence.partition(",")[0] for sentence in found.left_out] == [
        "whether exchange orders is durable", "AsyncAPI has no bindings of queues: where a channel names an exchange and a queue",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "errors"),
    [
        ("asyncapi: 3.0.0\nchannels: {a: {address: a}}", ["file.yaml:2:1 missing-key no channel of this document has AMQP bindings; bindings: {amqp: …} says what it is"]),
        ("asyncapi: 3.0.0\nchannels: {a: {bindings: {amqp: {is: topic}}}}", ["file.yaml:2:38 wrong-value `is` says routingKey or queue"]),
        ("asyncapi: 3.0.0\nchannels: {a: {$ref: '#/channels/b'}, b: {$ref: '#/channels/a'}}",
         ["file.yaml:2:12 wrong-value references that lead to each other"]),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_document_is_told(document, errors):
    assert set(errors) <= set(told("asyncapi", document))


def test_real_documents_of_faststream():
    """Of the same app, in both versions: the older says where queues are bound, the newer does not."""
    faststream = pytest.importorskip("faststream.rabbit", reason="FastStream is not installed")
    specification = pytest.importorskip("faststream.specification", reason="FastStream is not installed")
    broker = faststream.RabbitBroker("amqp://user:hunter2@localhost:5672/shop")
    orders = faststream.RabbitExchange("orders", type=faststream.ExchangeType.TOPIC)

    @broker.subscriber(faststream.RabbitQueue("invoices", routing_key="order.paid"), orders)
    async def handle(message: str) -> None: ...

    def written(version: str) -> str:
        made = specification.AsyncAPI(broker, schema_version=version)
        return (made.schema if hasattr(made, "schema") else made.to_specification()).to_json()

    older = read("asyncapi", written("2.6.0"), file="a.json")
    assert older.topology.vhost == "shop"
    assert declared(older.topology)["bindings"] == [("orders", "invoices", "queue", "order.paid", "[]")]
    newer = read("asyncapi", written("3.0.0"), file="a.json")
    assert [item.name for item in newer.topology.queues] == ["invoices"]
    if not newer.topology.bindings:
        assert any("the document does not say" in sentence for sentence in newer.left_out)
