"""`export --format topology-operator`: what is written declares, when it is imported, what was exported."""

import re

import pytest
from kits.amqp.hostile import NAMES, scenario
from kits.cli import within
from kits.foreign import read
from kits.paths import ALL_SCENARIO_FILES

from routesim.scenario import load, load_source
from routesim.scenario.definitions.exporting import definitions_of, document_of
from routesim.scenario.imports.writing_objects import KubernetesObjects
from routesim.scenario.scenario import Scenario
from routesim.scenario.yaml.source import Source

NAME = re.compile(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)  # a subdomain of RFC 1123, as Kubernetes has it
SAYS_MORE = ("rabbit_version", "rabbitmq_version", "vhosts")


def there_and_back(exported: Scenario) -> None:
    document, _ = definitions_of(exported)
    written = KubernetesObjects(document, "shop", "x.yaml")
    if not (document["exchanges"] or document["queues"] or document["bindings"] or document["policies"]):
        return
    back = read("topology-operator", "\n".join(written.lines(ascii=True)), vhost=exported.vhost, rabbitmq=exported.rabbitmq)
    again = document_of(back.topology)
    for section in document.keys() - set(SAYS_MORE):
        wanted = [{**item, "internal": False} if "internal" in item else item for item in document[section]]
        if section == "parameters":
            wanted = [{**item, "value": {**item["value"], "apply-to": "queues"}} for item in wanted]
        assert again[section] == wanted, section
    names = [(each["kind"], each["metadata"]["name"]) for each in written.objects]
    assert len(names) == len(set(names))
    assert all(NAME.fullmatch(name) and len(name) <= 253 for _, name in names)


@pytest.mark.parametrize("path", ALL_SCENARIO_FILES, ids=lambda path: path.stem)
def test_every_scenario_comes_back(path):
    exported = load(str(path))
    if exported.settings.kind != "redis":
        there_and_back(exported)


def test_names_that_yaml_and_kubernetes_trip_over_come_back():
    there_and_back(load_source(Source("hostile.yaml", scenario()), ""))
    assert len(NAMES) > 10


TEXT = """
rabbitmq: "3.13"
vhost: shop
broker: {default_queue_type: quorum}
exchanges: {Orders: {type: topic, internal: true}, orders: {durable: false}}
queues: {Ünïcode: {type: classic, auto_delete: true}, "***": {}}
bindings: [{source: Orders, destination: "***", routing_key: a, arguments: {n: {long: 1}}}]
policies: [{name: p, pattern: .*, priority: 1.5, definition: {max-length: 1}}]
operator_policies: [{name: p, pattern: .*, definition: {max-length: 1}}]
"""


def test_what_objects_say_and_cannot_say():
    document, _ = definitions_of(load_source(Source("x.yaml", TEXT), ""))
    written = KubernetesObjects(document, "shop", "x.yaml")
    assert [item.message for item in written.warnings] == [
        "exchange 'Orders' is not internal there: the operator has no such property",
        "the priority 1.5 of policy 'p' is 1 there: the operator takes whole numbers",
    ]
    specs = [(each["kind"], each["metadata"]["name"], each["spec"]) for each in written.objects]
    assert [spec[:2] for spec in specs] == [
        ("Vhost", "shop"), ("Exchange", "orders"), ("Exchange", "orders-2"), ("Queue", "n-code"), ("Queue", "queue"),
        ("Binding", "orders"), ("Policy", "p"), ("OperatorPolicy", "p"),
    ]  # fmt: skip
    assert specs[0][2]["defaultQueueType"] == "quorum"
    assert specs[2][2] == {
        "name": "orders",
        "vhost": "shop",
        "type": "direct",
        "durable": False,
        "rabbitmqClusterReference": {"name": "shop"},
    }
    assert specs[4][2]["type"] == "quorum"
    assert specs[7][2]["applyTo"] == "queues"


def test_the_command(tmp_path):
    done = within("export", "scenarios/shoes.yaml", "--format", "topology-operator", "--cluster", "shop")
    assert done.status == 0
    assert done.out.count("rabbitmqClusterReference: {name: shop}") == done.out.count("apiVersion: rabbitmq.com/v1beta1") > 5
    wrong = within("export", "scenarios/shoes.yaml", "--cluster", "shop")
    assert (wrong.status, wrong.err) == (2, "error: --cluster is for --format topology-operator\n")
    assert "choose" in (err := within("export", "scenarios/shoes.yaml", "--format", "helm").err) or "definitions" in err
