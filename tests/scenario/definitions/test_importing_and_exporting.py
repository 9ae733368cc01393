"""Definitions files in and out: nothing is lost between them, and what cannot be carried is told."""

import gzip
import json
import os
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from kits.paths import ROOT, SCENARIO_FILES
from kits.scenario import Outcome, problems_in, routesim
from test_writing import topologies

from routesim.diagnostics import Invalid
from routesim.scenario import load
from routesim.scenario.definitions.exporting import definitions_of, document_of, lines_of
from routesim.scenario.definitions.importing import imported
from routesim.scenario.load import load_source
from routesim.scenario.topology_data import DeclaredTopology, scenario_sections, topology_of
from routesim.scenario.yaml.source import Source
from routesim.scenario.yaml.writing import lines
from routesim.values import Typed, raw

PUBLIC = Path(os.environ.get("ROUTESIM_DEFINITIONS") or ROOT.parent / "shared" / "definitions")
FILES = sorted(path for path in PUBLIC.rglob("*.json*") if path.name != "INDEX.json") if PUBLIC.is_dir() else []
NO_FILES = "no public definitions files here; ROUTESIM_DEFINITIONS names their folder"


def source_of(document: Any) -> Source:
    return Source("broker.json", json.dumps(document))


def through_yaml(topology: DeclaredTopology) -> DeclaredTopology:
    return topology_of(load_source(Source("scene.yaml", "\n".join(lines(scenario_sections(topology)))), ""))


def bare(value: Any) -> Any:
    """A value as JSON holds it."""
    value = raw(value)
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [bare(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    return value[1] / 10 ** value[0] if isinstance(value, tuple) else value


def bare_topology(topology: DeclaredTopology, *, without: frozenset[str] | set[str] = frozenset()) -> Any:
    """What a definitions file can hold of it."""

    def of(items: Any) -> list[Any]:
        return sorted(
            (bare({**item._asdict(), "source": None, "destination": None, **item._asdict()}) for item in items), key=repr
        )  # fmt: skip

    bindings = [item for item in topology.bindings if item.destination_type != "queue" or item.destination not in without]
    return [
        of(item for item in topology.exchanges if not item.name.startswith("amq.")),
        of(item for item in topology.queues if item.name not in without), of(bindings), of(topology.policies),
        topology.vhost, topology.rabbitmq, topology.default_queue_type,
    ]  # fmt: skip


def untellable(value: Any) -> bool:
    value = raw(value)
    if isinstance(value, dict):
        return any(map(untellable, value.values()))
    return any(map(untellable, value)) if isinstance(value, list) else value is None


# Round trips ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SCENARIO_FILES, ids=lambda path: path.stem)
def test_a_scenario_comes_back(path: Path) -> None:
    """Minus what the export says that it left out."""
    scenario = load(str(path))
    topology = topology_of(scenario)
    document, warnings = definitions_of(scenario)
    back = imported(source_of(document))
    homeless = {queue.name for queue in topology.queues if queue.exclusive or queue.server_named}
    void = [item for item in topology.bindings if any(map(untellable, item.arguments.values()))]
    assert bare_topology(back.topology) == bare_topology(
        topology._replace(bindings=tuple(item for item in topology.bindings if item not in void)), without=homeless
    )
    said = " ".join(item.message for item in warnings)
    assert all(f"'{name}'" in said for name in homeless)
    assert sum("void" in item.message for item in warnings) == len(void)
    assert back.left_out == ()
    assert bare_topology(through_yaml(back.topology)) == bare_topology(back.topology)


@given(topologies())
@settings(max_examples=100, deadline=None)
def test_any_topology_comes_back(topology: DeclaredTopology) -> None:
    scenario = load_source(Source("scene.yaml", "\n".join(lines(scenario_sections(topology)))), "")
    document, warnings = definitions_of(scenario)
    back = imported(Source("broker.json", "\n".join(lines_of(document))))
    assert document_of(back.topology) == document, "what an import makes of a file exports as that file"
    kept = {(item["source"], item["destination"], item["routing_key"]) for item in document["bindings"]}
    for item in topology.bindings:
        void = any(map(untellable, item.arguments.values()))
        assert void or (item.source, item.destination, item.routing_key) in kept
    assert bool([item for item in warnings if item.code == "not-exported"]) == any(
        untellable(value) for item in (*topology.exchanges, *topology.queues, *topology.bindings) for value in item.arguments.values()
    )  # fmt: skip
    assert bare_topology(through_yaml(back.topology)) == bare_topology(back.topology)


def test_an_export_is_ascii_with_one_item_a_line() -> None:
    topology = topology_of(load_source(Source("s.yaml", 'queues: {"schön 😀": , b: }\n'), ""))
    text = "\n".join(lines_of(document_of(topology)))
    assert text.isascii()
    assert sum('"auto_delete"' in line for line in text.splitlines()) == 2
    assert json.loads(text)["queues"][0]["name"] == "schön 😀"


# Export --------------------------------------------------------------------------------------------------------------

EVERYTHING = """
rabbitmq: "3.13"
vhost: shop
broker: {default_queue_type: quorum, consumer_timeout: 10m}
exchanges:
  orders: {type: topic, internal: true, arguments: {alternate-exchange: amq.fanout, odd: null}}
  amq.topic: topic
queues:
  jobs:
  old: {type: classic, arguments: {x-max-length: 5, bytes: {bytes: abc}}}
  short: {durable: false, auto_delete: true}
  mine: {exclusive: true}
  reply: {server_named: true, exclusive: true}
bindings:
  - {source: orders, destination: jobs, routing_key: "#"}
  - {source: orders, destination: mine, routing_key: "#"}
  - {source: amq.headers, destination: old, arguments: {x-match: any, size: 5, since: {timestamp: 17}, part: {decimal: 1.25}}}
  - {source: amq.headers, destination: old, arguments: {any: null}}
policies:
  - {name: p, pattern: "^jobs", definition: {message-ttl: 5}, priority: 2}
operator_policies:
  - {name: cap, pattern: .*, apply-to: queues, definition: {max-length: 7}}
consumers: {worker: {queue: jobs}}
steps: [{publish: {routing_key: jobs}}]
"""


def exported(text: str, *arguments: str) -> tuple[dict[str, Any], Outcome]:
    outcome = routesim("export", "scene.yaml", *arguments, files={"scene.yaml": text})
    assert outcome.status == 0, outcome.err
    document: dict[str, Any] = json.loads(outcome.out)
    return document, outcome


def test_what_an_export_holds() -> None:
    document, _ = exported(EVERYTHING)
    assert document["rabbitmq_version"] == "3.13"
    assert document["vhosts"] == [{"name": "shop", "metadata": {"default_queue_type": "quorum"}}]
    assert document["exchanges"] == [
        {"vhost": "shop", "name": "orders", "type": "topic", "durable": True, "auto_delete": False, "internal": True,
         "arguments": {"alternate-exchange": "amq.fanout"}},
    ]  # fmt: skip
    assert {item["name"]: (item["type"], item["arguments"]) for item in document["queues"]} == {
        "jobs": ("quorum", {"x-queue-type": "quorum"}),
        "old": ("classic", {"x-queue-type": "classic", "x-max-length": 5, "bytes": "abc"}),
        "short": ("classic", {}),
    }
    assert [(item["source"], item["destination"]) for item in document["bindings"]] == [
        ("orders", "jobs"),
        ("amq.headers", "old"),
    ]
    assert document["bindings"][1]["arguments"] == {"x-match": "any", "size": 5, "since": 17, "part": 1.25}
    assert document["policies"] == [
        {"vhost": "shop", "name": "p", "pattern": "^jobs", "apply-to": "all", "priority": 2, "definition": {"message-ttl": 5}}
    ]
    assert document["parameters"] == [
        {"vhost": "shop", "component": "operator_policy", "name": "cap",
         "value": {"pattern": ".*", "apply-to": "queues", "priority": 0, "definition": {"max-length": 7}}}
    ]  # fmt: skip


def test_what_an_export_cannot_hold_is_told_with_its_line() -> None:
    _, outcome = exported(EVERYTHING)
    problems = problems_in(outcome.err)
    assert {problem.severity for problem in problems} == {"warning"}
    told = {problem.message.split(":")[0]: problem.line for problem in problems}
    assert told == {
        "left out": 0,
        "consumer_timeout is left out": 0,
        "'odd' of exchange 'orders' is left out": 6,
        "the exclusive queue 'mine' is left out with 1 binding": 12,
        "the server-named queue 'reply' is left out": 13,
        "'part' of the binding of 'old' to 'amq.headers' comes back as another type, which other headers match": 17,
        "the binding of 'old' to 'amq.headers' is left out": 18,
    }
    assert "1 consumer, 1 step" in problems[0].message
    assert "consumer_timeout = 600000" in problems[1].cure


def test_a_whole_number_comes_back_as_one_that_matches_the_same() -> None:
    """Every integer is imported as `long`; at the top of a headers binding that matches the same, inside a table not."""
    text = "queues: {q: }\nbindings: [{source: amq.headers, destination: q, arguments: {%s}}]\n"
    for rabbitmq, arguments, told in [
        ("3.10", "size: 5", False), ("4.3", "size: 5", False), ("4.3", "size: {long: 5}", False), ("4.3", "many: [5]", True),
        ("3.10", "many: {a: 5}", True), ("4.3", "many: [{long: 5}]", False), ("3.10", "at: {timestamp: 5}", False),
        ("4.3", "at: {timestamp: 5}", False), ("4.3", "raw: {bytes: a}", False), ("4.3", "part: 1.5", False),
    ]:  # fmt: skip
        _, outcome = exported(text % arguments, "--rabbitmq", rabbitmq)
        assert ("changed-by-export" in outcome.err) is told, (rabbitmq, arguments)


def test_another_vhost_and_another_version() -> None:
    document, _ = exported("queues: {q: }\n", "--vhost", "staging", "--rabbitmq", "3.10.8")
    assert document["vhosts"] == [{"name": "staging"}]
    assert document["queues"][0]["vhost"] == "staging"
    assert document["rabbitmq_version"] == "3.10.8"


def test_what_the_chosen_version_refuses_is_no_definitions_file() -> None:
    files: dict[str, str | bytes] = {"s.yaml": "exchanges: {x: x-local-random}\n"}
    assert routesim("export", "s.yaml", files=files).status == 0
    outcome = routesim("export", "s.yaml", "--rabbitmq", "3.13", files=files)
    (problem,) = problems_in(outcome.err)
    assert (outcome.status, outcome.out, problem.code, problem.marked) == (2, "", "refused", "x-local-random")


@pytest.mark.parametrize("arguments", [("--vhost", ""), ("--vhost", "v" * 256), ("--rabbitmq", "9"), ("--nonsense",), ()])
def test_export_wants_what_makes_sense(arguments: tuple[str, ...]) -> None:
    given = ("s.yaml", *arguments) if arguments else ("nosuch.yaml",)
    assert routesim("export", *given, files={"s.yaml": "queues: {q: }\n"}).status == 2


# Import --------------------------------------------------------------------------------------------------------------

CLUSTER: dict[str, Any] = {
    "rabbit_version": "3.10.8",
    "users": [{"name": "guest", "password_hash": "x", "tags": []}] * 2,
    "vhosts": [{"name": "/"}, {"name": "shop", "limits": [["max-queues", 10]], "metadata": {"default_queue_type": "quorum"}}],
    "permissions": [{"user": "guest", "vhost": "shop", "configure": ".*", "write": ".*", "read": ".*"}],
    "topic_permissions": [],
    "global_parameters": [{"name": "cluster_name", "value": "x"}],
    "parameters": [
        {"vhost": "shop", "component": "federation-upstream", "name": "up", "value": {"uri": "amqp://"}},
        {"vhost": "shop", "component": "shovel", "name": "move\u202eit", "value": {}},
        {"vhost": "/", "component": "shovel", "name": "elsewhere", "value": {}},
        {"vhost": "shop", "component": "operator_policy", "name": "cap", "value": {"pattern": ".", "priority": 0, "definition": [["max-length", 5]]}},
    ],
    "policies": [{"vhost": "shop", "name": "ae", "pattern": "^x", "apply-to": "exchanges", "priority": 1, "definition": {"alternate-exchange": "unrouted"}}],
    "exchanges": [
        {"vhost": "shop", "name": "orders", "type": "topic", "durable": True, "auto_delete": False, "arguments": {}},
        {"vhost": "shop", "name": "amq.direct", "type": "direct", "durable": True, "auto_delete": False, "arguments": {}},
    ],
    "queues": [
        {"vhost": "shop", "name": "jobs", "type": "classic", "durable": True, "auto_delete": False, "arguments": {"x-max-length": 5}},
        {"vhost": "/", "name": "other", "durable": True, "auto_delete": False, "arguments": {}},
    ],
    "bindings": [
        {"vhost": "shop", "source": "orders", "destination": "jobs", "destination_type": "queue", "routing_key": "eu.*", "arguments": {}},
        {"vhost": "shop", "source": "amq.headers", "destination": "jobs", "destination_type": "queue", "routing_key": "",
         "arguments": {"size": 5, "kind": "undefined"}},
        {"vhost": "shop", "source": "amqp_events", "destination": "jobs", "destination_type": "queue", "routing_key": "", "arguments": {}},
    ],
    "something_new": [1],
}  # fmt: skip


def import_(document: Any, *arguments: str) -> Outcome:
    text = document if isinstance(document, (str, bytes)) else json.dumps(document, indent=1)
    return routesim("import", "broker.json", *arguments, files={"broker.json": text}, limit_s=60)


def test_an_import_is_a_scenario_that_runs() -> None:
    outcome = import_(CLUSTER, "--vhost", "shop")
    assert outcome.status == 0
    assert (
        outcome.out
        == """\
# Imported from broker.json, vhost shop.
#
# Left out:
#   2 users, 1 permission: there is no access control here
#   federation-upstream up: federation is not simulated
#   shovel "move\\u202eit": shovels are not simulated
#   1 global parameter (cluster_name): they belong to the cluster
#   limits of the vhost: they are not simulated
#   vhost / (1 queue): --vhost chooses it
#   amq.direct: an import passes over names that begin with amq.
#   a binding (line 156): no exchange named 'amqp_events' is declared: RabbitMQ passes over this binding
#   something_new: not known to routesim

rabbitmq: "3.10.8"
vhost: shop
broker: {default_queue_type: quorum}

exchanges:
  orders: topic

queues:
  jobs: {type: classic, arguments: {x-max-length: 5}}

bindings:
  - {source: orders, destination: jobs, routing_key: eu.*}
  - {source: amq.headers, destination: jobs, arguments: {size: {long: 5}, kind: undefined}}

policies:
  - {name: ae, pattern: ^x, apply-to: exchanges, priority: 1, definition: {alternate-exchange: unrouted}}

operator_policies:
  - {name: cap, pattern: ".", definition: {max-length: 5}}

# Publish something, and see where it goes:
# steps:
#   - publish: {exchange: orders, routing_key: eu.anything}
"""
    )
    again = routesim(
        "run", "scene.yaml", "--quiet", files={"scene.yaml": outcome.out.replace("# steps", "steps").replace("#   - p", "  - p")}
    )
    assert (again.status, again.err) == (0, "")


def test_what_the_brokers_export_had_lost_is_told_where_it_shows() -> None:
    problems = [item for item in problems_in(import_(CLUSTER, "--vhost", "shop").err) if item.code == "lost-by-export"]
    assert [(item.marked, item.message.split(" ")[0]) for item in problems] == [('"undefined"', "'kind'"), ("{", "exchange")]
    assert "before 3.11" in problems[1].message
    internal = {**CLUSTER, "bindings": [{**CLUSTER["bindings"][0], "source": "events"}]}
    assert "internal" in import_(internal, "--vhost", "shop").err


def test_one_vhost_of_a_cluster_as_definitions() -> None:
    outcome = import_(CLUSTER, "--vhost", "shop", "--format", "definitions")
    document = json.loads(outcome.out)
    assert [item["name"] for item in document["queues"]] == ["jobs"]
    assert document["parameters"][0]["value"]["definition"] == {"max-length": 5}
    assert {
        item["vhost"] for section in ("parameters", "policies", "exchanges", "queues", "bindings") for item in document[section]
    } == {"shop"}
    assert "left out: 2 users, 1 permission" in outcome.err


def items(**vhosts: str) -> dict[str, Any]:
    return {"queues": [{"vhost": vhost, "name": name, "durable": True, "auto_delete": False} for name, vhost in vhosts.items()]}


def test_which_vhost_is_meant() -> None:
    def chosen(document: Any, vhost: str | None = None) -> str:
        return imported(source_of(document), vhost).topology.vhost

    assert chosen({}) == "/"
    assert chosen({"vhosts": [{"name": "/"}, {"name": "a"}]}) == "/"
    assert chosen({"vhosts": [{"name": "a"}]}) == "a"
    assert chosen({"vhosts": [{"name": "/"}, {"name": "a"}], **items(q="a")}) == "a", "the only one with something in it"
    assert chosen(items(q="a", r="/")) == "/"
    assert chosen(items(q="a", r="b"), "b") == "b"
    single = {"original_vhost_name": "shop", "queues": [{"name": "q", "durable": True, "auto_delete": False}]}
    assert chosen(single) == "shop"
    assert chosen(single, "mine") == "mine"
    for document, vhost in ((items(q="a", r="b"), None), (items(q="a"), "A"), ({"vhosts": [{"name": "a"}, {"name": "b"}]}, None)):
        with pytest.raises(Invalid) as problem:
            chosen(document, vhost)
        assert [item.code for item in problem.value.diagnostics] == ["unknown-vhost"]
        assert problem.value.diagnostics[0].cure


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ('{\n{\n "queues": []}', "not-json", 2, 1), ('{"queues": [', "not-json", 1, 13), ("[]", "wrong-type", 1, 1), ("", "not-json", 1, 1),
        ("5", "wrong-type", 1, 1), ('{"a": 1}\n{"b": 2}', "not-json", 2, 1), ('{"queues": {"q": null}}', "wrong-type", 1, 1),
        ("queues: {q: }\nsteps: []", "wrong-type", 1, 1), ('{\n"x": "a\\\\ud800",\n "y": "\\ud83d\\ude00 \\ude00"}', "not-json", 3, 21),
        ('{"queues": [{"name": "q", "vhost": "/"},\n {"name": "r"}]}', "definitions-no-vhost", 2, 2),
        ('{"rabbit_version": "4.1.0", "exchanges": [\n{"name": "x", "type": "topics", "durable": true, "auto_delete": false}]}', "refused", 2, 23),
        ("\xff", "not-text", 1, 1),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_place(text: str, code: str, line: int, column: int) -> None:
    outcome = import_(text.encode("latin-1") if text == "\xff" else text)
    assert (outcome.status, outcome.out) == (2, "")
    problem = next(item for item in problems_in(outcome.err) if item.severity == "error")
    assert (problem.code, problem.line, problem.column) == (code, line, column)


def test_a_packed_file_is_to_be_unpacked_first() -> None:
    (problem,) = problems_in(import_(gzip.compress(b"{}")).err)
    assert (problem.code, "gunzip" in problem.cure) == ("not-text", True)


def test_yaml_in_list_form_is_imported_too() -> None:
    outcome = import_(
        "rabbitmq_version: 3.10.8\nqueues:\n  - {name: q, durable: true, auto_delete: false, arguments: {x-max-length: 5}}\n"
    )
    assert (outcome.status, "q: {arguments: {x-max-length: 5}}" in outcome.out) == (0, True)


def test_import_of_stdin_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "out.yaml"
    outcome = routesim("import", "-", "--vhost", "shop", "-o", str(target), stdin=json.dumps(CLUSTER).encode())
    assert (outcome.status, outcome.out) == (0, "")
    assert target.read_text(encoding="utf-8").startswith("# Imported from stdin, vhost shop.\n")
    assert routesim("import", str(target), "-o", str(target)).status == 2


def test_what_the_command_line_gets_wrong() -> None:
    for arguments, hint in (
        (("--format", "scenarios"), "scenario"),
        (("--rabbitmq", "5"), "known versions"),
        (("--vhost", "Shop"), "shop"),
    ):
        outcome = import_(CLUSTER, *arguments)
        assert (outcome.status, outcome.out, hint in outcome.err) == (2, "", True)
    outcome = routesim("import", "broker.json", "-o", "broker.json", files={"broker.json": "{}"})
    assert (outcome.status, "overwrite" in outcome.err) == (2, True)


def test_nothing_is_passed_over_silently() -> None:
    """Every binding is in the scenario, or in a comment that says why it is not."""
    bindings = [{**CLUSTER["bindings"][0], "source": f"gone{number}"} for number in range(30)]
    outcome = import_({**CLUSTER, "bindings": bindings}, "--vhost", "shop")
    assert outcome.out.count("#   a binding (line") == 5
    assert "25 more bindings of this kind" in outcome.out


# Other people's files ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not FILES, reason=NO_FILES)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_public_files_come_through_or_say_why_not(path: Path) -> None:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = data.decode()
    outcome = import_(data)
    problems = problems_in(outcome.err)
    if outcome.status == 2:
        assert [item for item in problems if item.severity == "error" and item.line and item.message], outcome.err
        return
    assert outcome.status == 0
    found = imported(Source("broker.json", text))
    if len(data) < 1_000_000:
        assert bare_topology(topology_of(load_source(Source("s.yaml", outcome.out), ""))) == bare_topology(found.topology)
    document = document_of(found.topology)
    assert document_of(imported(Source("again.json", "\n".join(lines_of(document)))).topology) == document
    original = json.loads(text)
    for section in ("exchanges", "queues", "bindings", "policies"):
        mine = [item for item in original.get(section) or [] if item.get("vhost", found.topology.vhost) == found.topology.vhost]
        kept = {json.dumps(_named(section, item), sort_keys=True) for item in document[section]}
        lost = [item for item in mine if json.dumps(_named(section, item), sort_keys=True) not in kept]
        assert all(str(item.get("name")).startswith("amq.") or section == "bindings" for item in lost), lost
        assert len(lost) == 0 or found.left_out


def _named(section: str, item: dict[str, Any]) -> dict[str, Any]:
    keys = ("source", "destination", "routing_key", "arguments") if section == "bindings" else ("name",)
    return {key: item.get(key) or {} for key in keys}


# Size ----------------------------------------------------------------------------------------------------------------


def large(bindings: int) -> str:
    flags = {"durable": True, "auto_delete": False, "arguments": {}}
    return json.dumps(
        {
            "rabbitmq_version": "4.1.0",
            "vhosts": [{"name": "/"}],
            "exchanges": [{"vhost": "/", "name": "x", "type": "topic", **flags}],
            "queues": [{"vhost": "/", "name": f"q{number}", **flags} for number in range(bindings // 10)],
            "bindings": [
                {"vhost": "/", "source": "x", "destination": f"q{number % (bindings // 10)}", "destination_type": "queue",
                 "routing_key": f"eu.{number}.#", "arguments": {}} for number in range(bindings)
            ],
        }
    )  # fmt: skip


def test_time_and_memory_grow_with_the_file() -> None:
    """Four times the bindings take about four times as long and as much."""

    def cost(bindings: int) -> tuple[float, int]:
        text = large(bindings)
        best = float("inf")
        for _ in range(2):
            began = time.process_time()
            found = imported(Source("broker.json", text))
            written = sum(map(len, lines(scenario_sections(found.topology), found.left_out)))
            best = min(best, time.process_time() - began)
        assert written > 30 * bindings
        tracemalloc.start()
        imported(Source("broker.json", text))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return best, peak

    small, big = cost(2_000), cost(8_000)
    assert big[0] < 10 * small[0]
    assert big[1] < 6 * small[1]


def test_thousands_of_mistakes_are_placed_in_time() -> None:
    """Each is looked up in the text; the way to it is walked once."""
    bindings = [{**CLUSTER["bindings"][0], "source": f"gone{number}"} for number in range(4_000)]
    text = json.dumps({**CLUSTER, "bindings": bindings}, indent=1)
    began = time.process_time()
    found = imported(Source("broker.json", text), "shop")
    assert time.process_time() - began < 10
    placed = [item.place.line for item in found.warnings if item.code == "definitions-binding" and item.place]
    assert len(set(placed)) == 4_000


def test_a_typed_value_outside_a_binding_needs_no_type() -> None:
    found = imported(
        source_of({"queues": [{"name": "q", "durable": True, "auto_delete": False, "arguments": {"x-max-length": 5, "k": [5]}}]})
    )
    assert found.topology.queues[0].arguments == {"x-max-length": 5, "k": [Typed("long", 5)]}
