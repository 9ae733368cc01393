"""Differences: exact for keys, witnessed for headers, the broker's own word on what cannot be redeclared."""

import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.paths import SCENARIO_FILES
from kits.scenario import routesim

from routesim.broker import Broker, RabbitBroker
from routesim.broker.routing import route
from routesim.content import Content
from routesim.diff import TopologyDifference, difference, explain_diff
from routesim.diff.routing import Rerouted, rerouted
from routesim.model import Binding, Exchange, Queue
from routesim.scenario import Scenario, load, load_source
from routesim.scenario.yaml.source import Source
from routesim.steps import Bind, DeclareExchange, DeclareQueue
from routesim.versions import rules


def scenario(text: str) -> Scenario:
    return load_source(Source("topology", text), "")


def compared(old: str, new: str) -> TopologyDifference:
    return difference(scenario(old), scenario(new))


def topic(key: str) -> str:
    return f"{{exchanges: {{x: topic}}, queues: {{q: }}, bindings: [{{source: x, destination: q, routing_key: '{key}'}}]}}"


@pytest.mark.parametrize("path", SCENARIO_FILES, ids=lambda path: path.stem)
def test_a_file_is_the_same_as_itself(path: Path) -> None:
    assert not difference(load(str(path)), load(str(path)))


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("a.*", "a.#", {("a", (), ("q",)), ("a.other.other", (), ("q",))} ),
        ("a.#", "a.*", {("a", ("q",), ())}),
        ("#.a", "#.#.a", set()),
        ("*.#", "#.*", set()),
        ("a", "b", {("a", ("q",), ()), ("b", (), ("q",))}),
    ],
)  # fmt: skip
def test_classes_of_keys(old: str, new: str, changes: set[tuple[str, tuple[str, ...], tuple[str, ...]]]) -> None:
    found = compared(topic(old), topic(new))
    assert {(item.key, item.before, item.after) for item in found.routing} <= changes
    assert bool(found) is bool(changes)
    assert bool(found) or found.without_effect == 2


def test_headers_are_witnessed_by_headers() -> None:
    def text(value: str) -> str:
        return f"{{exchanges: {{h: headers}}, queues: {{q: }}, bindings: [{{source: h, destination: q, arguments: {{x-match: all, kind: shoes, size: {value}}}}}]}}"

    found = compared(text("42"), text('"42"')).routing
    assert [(item.headers["size"], item.before, item.after) for item in found if item.headers] == [
        (42, ("q",), ()),
        ("42", (), ("q",)),
    ]
    assert not compared(text("42"), text("42"))
    any_of = compared(text("42"), text("42").replace("all", "any")).routing
    assert any_of[0].after == ("q",)
    assert any_of[0].before == ()


def test_what_cannot_be_redeclared_is_the_brokers_word() -> None:
    found = compared("queues: {jobs: {arguments: {x-message-ttl: 1}}}", "queues: {jobs: {arguments: {x-message-ttl: 2}}}")
    assert found.refusals[0].code == 406
    assert "inequivalent arg 'x-message-ttl'" in found.refusals[0].text
    assert [(item.setting, item.before, item.after) for item in found.settings] == [("message-ttl", 1, 2)]
    exchange = compared("exchanges: {x: topic}", "exchanges: {x: direct}")
    assert "inequivalent arg 'type'" in exchange.refusals[0].text


def test_a_policy_changes_settings_in_place() -> None:
    policies = "policies: [{name: p, pattern: .*, definition: {max-length: 5}}]"
    found = compared("queues: {jobs: }", f"{{queues: {{jobs: }}, {policies}}}")
    assert not found.refusals
    assert [(item.name, item.setting, item.after) for item in found.settings] == [("jobs", "max-length", 5)]


def test_what_goes_takes_its_messages_along() -> None:
    found = compared("{exchanges: {x: fanout}, queues: {jobs: , mail: }}", "queues: {jobs: , post: }")
    assert found.removed == [("exchange", "x"), ("queue", "mail")]
    assert found.added == [("queue", "post")]
    assert {(item.key, item.before, item.after) for item in found.routing} == {("mail", ("mail",), ()), ("post", (), ("post",))}


def test_an_alternate_exchange_and_hops_between_are_followed() -> None:
    old = """
exchanges: {x: {type: topic, arguments: {alternate-exchange: rest}}, rest: fanout, mid: direct}
queues: {q: , r: }
bindings:
  - {source: x, destination: mid, destination_type: exchange, routing_key: "a.#"}
  - {source: mid, destination: q, routing_key: a.b}
  - {source: rest, destination: r}
"""
    found = compared(old, old.replace("a.b", "a.c")).routing
    assert {(item.exchange, item.key, item.before, item.after) for item in found} == {
        ("x", "a.b", ("q",), ()), ("x", "a.c", (), ("q",)), ("mid", "a.b", ("q",), ()), ("mid", "a.c", (), ("q",)),
    }  # fmt: skip


BINDING = st.builds(
    lambda source, target, key: Binding(source, target[1], target[0], key),
    st.sampled_from(("x", "y")),
    st.sampled_from([("queue", "p"), ("queue", "q"), ("exchange", "y")]),
    st.lists(st.sampled_from(("a", "b", "*", "#")), max_size=3).map(".".join),
)
KEYS = [".".join(words) for size in range(4) for words in product(("a", "b", "c"), repeat=size)]


def broker_of(bindings: list[Binding]) -> Broker:
    broker = RabbitBroker(rules())
    for name in ("x", "y"):
        broker.apply(DeclareExchange("c", Exchange(name, "topic")))
    for name in ("p", "q"):
        broker.apply(DeclareQueue("c", Queue(name)))
    for binding in bindings:
        broker.apply(Bind("c", binding))
    return broker


def reached(broker: Broker, key: str) -> frozenset[str]:
    return frozenset(queue.name for queue, _ in route(broker, "x", "m", Content("x", key, (key,), None, "")).queues)


@given(st.lists(BINDING, max_size=5), st.lists(BINDING, max_size=5))
@settings(max_examples=200, deadline=None)
def test_every_kind_of_change_is_found_and_each_witness_is_one(first: list[Binding], second: list[Binding]) -> None:
    old, new = broker_of(first), broker_of(second)
    found = rerouted(old, new, "x")
    for item in found:
        assert reached(old, item.key) == set(item.before)
        assert reached(new, item.key) == set(item.after)
        assert item.before != item.after
    kinds = {(frozenset(item.before) - frozenset(item.after), frozenset(item.after) - frozenset(item.before)) for item in found}
    for key in KEYS:
        before, after = reached(old, key), reached(new, key)
        assert before == after or (before - after, after - before) in kinds, key


def test_all_vhosts_of_definitions_files(tmp_path: Path) -> None:
    from routesim.cli.handlers.diffing import pairs

    def file(name: str, key: str) -> str:
        data = {
            "vhosts": [{"name": "a"}, {"name": "b"}],
            "queues": [{"name": "q", "vhost": vhost, "durable": True, "auto_delete": False, "arguments": {}} for vhost in "ab"],
            "bindings": [
                {
                    "source": "amq.topic",
                    "vhost": "b",
                    "destination": "q",
                    "destination_type": "queue",
                    "routing_key": key,
                    "arguments": {},
                }
            ],
        }
        (tmp_path / name).write_text(json.dumps(data))
        return str(tmp_path / name)

    answer = explain_diff(pairs(file("old.json", "k.*"), file("new.json", "k.#")))
    assert not answer.yes
    assert [(part["vhost"], bool(part["routing"])) for part in answer.data["vhosts"]] == [("a", False), ("b", True)]


def test_only_what_leads_to_a_change_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = """
exchanges: {a: topic, b: {type: topic, arguments: {alternate-exchange: c}}, c: fanout, aside: topic}
queues: {q: , r: }
bindings:
  - {source: a, destination: b, destination_type: exchange, routing_key: "#"}
  - {source: b, destination: q, routing_key: x}
  - {source: aside, destination: q, routing_key: x}
"""
    looked_at = []

    def noted(old: Broker, new: Broker, exchange: str) -> list[Rerouted]:
        looked_at.append(exchange)
        return rerouted(old, new, exchange)

    monkeypatch.setattr("routesim.diff.rerouted", noted)
    assert not compared(chain, chain)
    assert looked_at == []
    changed = compared(chain, chain + "  - {source: c, destination: r}\n")
    assert looked_at == ["a", "b", "c"]
    assert {(item.exchange, item.before, item.after) for item in changed.routing} == {
        (name, (), ("r",)) for name in ("a", "b", "c")
    }


def test_behind_a_headers_exchange_every_class_of_keys_is_tried() -> None:
    """Key b, the shortest that #.b matches, is taken by the first exchange itself."""
    text = """
exchanges: {first: topic, any: headers, last: topic}
queues: {q: , r: }
bindings:
  - {source: first, destination: q, routing_key: b}
  - {source: any, destination: last, destination_type: exchange}
  - {source: last, destination: r, routing_key: "#.b"}
"""
    changed = compared(text, text.replace("first: topic", "first: {type: topic, arguments: {alternate-exchange: any}}"))
    (item,) = [item for item in changed.routing if item.exchange == "first"]
    assert (item.before, item.after) == ((), ("r",))
    assert item.key.endswith(".b")


BEFORE = """
exchanges: {shop: topic}
queues: {orders: {arguments: {x-max-length: 5}}, mail: }
bindings: [{source: shop, destination: orders, routing_key: order.*}, {source: shop, destination: mail, routing_key: "#"}]
"""


def test_a_queue_of_another_name_is_renamed_not_lost() -> None:
    """Unless it is bound otherwise, or behaves otherwise."""
    files = {"old.yaml": BEFORE, "new.yaml": BEFORE.replace("orders", "orders-2")}
    outcome = routesim("diff", "old.yaml", "new.yaml", "--format", "json", files=files)
    assert outcome.status == 1
    (vhost,) = json.loads(outcome.out)["vhosts"]
    (renamed,) = vhost["renamed"]
    assert (renamed["kind"], renamed["old"], renamed["new"]) == ("queue", "orders", "orders-2")
    assert renamed["at"] == {"file": "new.yaml", "line": 3, "column": 10}
    assert not vhost["removed"]
    assert not vhost["added"]
    assert not [item for item in vhost["routing"] if item["exchange"]]
    for change in (("order.*", "order.new"), ("max-length: 5", "max-length: 6")):
        other = {**files, "new.yaml": files["new.yaml"].replace(*change)}
        (vhost,) = json.loads(routesim("diff", "old.yaml", "new.yaml", "--format", "json", files=other).out)["vhosts"]
        assert not vhost["renamed"], change
        assert [(item["kind"], item["name"]) for item in vhost["removed"]] == [("queue", "orders")]


def test_on_github_what_changes_for_messages_stands_at_the_new_file() -> None:
    files = {"old.yaml": BEFORE, "new.yaml": BEFORE.replace("order.*", "order.new")}
    outcome = routesim("diff", "old.yaml", "new.yaml", "--format", "github", files=files)
    assert outcome.status == 1
    first, *_, last = outcome.out.splitlines()
    assert first.startswith("::warning file=new.yaml,line=4,col=61,title=messages reach other queues::exchange 'shop', key ")
    assert last == "new.yaml behaves differently from old.yaml"
    same = {**files, "new.yaml": BEFORE}
    assert (
        routesim("diff", "old.yaml", "new.yaml", "--format", "github", files=same).out
        == "old.yaml and new.yaml behave the same\n"
    )


def test_what_differs_stands_at_its_line_and_what_is_gone_at_its_old_one(tmp_path: Path) -> None:
    def queue(name: str, **arguments: object) -> dict[str, object]:
        given = {key.replace("_", "-"): value for key, value in arguments.items()}
        return {"name": name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": given}

    def written(file: str, *queues: dict[str, object]) -> str:
        lines = ",\n".join(f"  {json.dumps(item)}" for item in queues)
        (tmp_path / file).write_text(f'{{"vhosts": [{{"name": "/"}}],\n "queues": [\n{lines}\n ]}}\n', encoding="utf-8")
        return str(tmp_path / file)

    old = written("old.json", queue("kept", x_max_length=5), queue("gone", x_max_length=7))
    new = written("new.json", queue("kept", x_max_length=6), queue("fresh"))
    lines = routesim("diff", old, new, "--format", "github").out.splitlines()
    assert f"::warning file={old},line=4,col=12,title=gone::queue 'gone'" in lines
    assert f"::notice file={new},line=4,col=12,title=new::queue 'fresh'" in lines
    assert f"::notice file={new},line=3,col=12,title=in force::queue 'kept': max-length was 5, is 6" in lines
