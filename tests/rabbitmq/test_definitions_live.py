"""Exported definitions on a real broker: it imports them, and its own export of them comes back as the same topology.

Skipped where no broker answers; ROUTESIM_REQUIRE_BROKER=1 makes that a failure. ROUTESIM_RABBITMQCTL and
ROUTESIM_MANAGEMENT name another rabbitmqctl and another management API. Every vhost is removed again.
"""

import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from kits.paths import SCENARIO_FILES

from routesim.exchanges import EXCHANGE_TYPES
from routesim.scenario import load
from routesim.scenario.definitions.exporting import definitions_of, document_of
from routesim.scenario.definitions.importing import imported
from routesim.scenario.load import load_source
from routesim.scenario.yaml.source import Source
from routesim.scenario.yaml.writing import scalar
from routesim.versions import UnknownVersion, rules

LIMIT_S = 60
REQUIRED = os.environ.get("ROUTESIM_REQUIRE_BROKER") == "1"
PREFIX = f"routesim-definitions-{os.getpid()}"
SECTIONS = ("exchanges", "queues", "bindings", "policies", "parameters")
CORE_TYPES = {"direct", "fanout", "topic", "headers"}


class Way(Protocol):
    """How definitions get into a broker and out of it."""

    def into(self, document: Any) -> None: ...

    def out(self) -> Any: ...

    def remove(self, vhosts: list[str]) -> None: ...


class Unreachable(Exception):
    """No broker answers in this way."""


class Rabbitmqctl:
    def __init__(self) -> None:
        command = os.environ.get("ROUTESIM_RABBITMQCTL") or shutil.which("rabbitmqctl")
        if command is None:
            raise Unreachable("there is no rabbitmqctl")
        self.command = command.split()
        try:
            self.run("await_startup", "--timeout", "10")
        except (OSError, AssertionError, subprocess.TimeoutExpired) as problem:
            raise Unreachable(f"rabbitmqctl finds no broker: {problem}") from None

    def run(self, *arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [*self.command, "--quiet", *arguments],
            input=given,
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def into(self, document: Any) -> None:
        self.run("import_definitions", given=json.dumps(document))

    def out(self) -> Any:
        # 3.10's export fails as long as anybody on the broker has a runtime parameter that is no object.
        for _ in range(10):
            text = self.run("export_definitions", "-")
            if text.startswith("{") and not text.startswith("{:badrpc"):
                break
            time.sleep(1)
        return json.loads(text)

    def remove(self, vhosts: list[str]) -> None:
        names = ",".join(f'<<"{name}">>' for name in vhosts)
        self.run("eval", f'[catch rabbit_vhost:delete(V, <<"routesim">>) || V <- [{names}]].')


class Management:
    def __init__(self) -> None:
        given = os.environ.get("ROUTESIM_MANAGEMENT") or "http://guest:guest@127.0.0.1:15672"
        parts = urllib.parse.urlsplit(given)
        self.url = f"{parts.scheme}://{parts.hostname}:{parts.port or 15672}"
        user = f"{parts.username or 'guest'}:{parts.password or 'guest'}"
        self.headers = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}", "Content-Type": "application/json"}
        try:
            self.ask("GET", "/api/overview")
        except (OSError, AssertionError) as problem:
            raise Unreachable(f"no management API at {self.url}: {problem}") from None

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.url + path, data, self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{refused.code}: {refused.read().decode()}") from None
        return json.loads(text) if text else None

    def into(self, document: Any) -> None:
        self.ask("POST", "/api/definitions", document)

    def out(self) -> Any:
        return self.ask("GET", "/api/definitions")

    def remove(self, vhosts: list[str]) -> None:
        for name in vhosts:
            with contextlib.suppress(AssertionError):
                self.ask("DELETE", f"/api/vhosts/{urllib.parse.quote(name, safe='')}")


WAYS: dict[str, type[Rabbitmqctl] | type[Management]] = {"rabbitmqctl": Rabbitmqctl, "management": Management}


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    try:
        return WAYS[request.param]()
    except Unreachable as problem:
        if REQUIRED and request.param == "rabbitmqctl":
            pytest.fail(f"ROUTESIM_REQUIRE_BROKER=1, but {problem}")
        pytest.skip(str(problem))


def profile(version: str) -> str:
    """The rules of a broker: its very version, or its minor version where that patch is not known."""
    try:
        return rules(version).version
    except UnknownVersion:
        return ".".join(version.split(".")[:2])


class Taken:
    """All scenarios on the broker, each in a vhost of its own, and the broker's export of them."""

    def __init__(self, way: Way, version: str, types: set[str]) -> None:
        self.way, self.version = way, version
        self.vhosts = {path.stem: f"{PREFIX}-{path.stem}" for path in SCENARIO_FILES}
        self.documents: dict[str, Any] = {}
        self.not_there: dict[str, set[str]] = {}
        for path in SCENARIO_FILES:
            scenario = load(str(path), rabbitmq=version, lenient=True)
            document, _ = definitions_of(scenario, self.vhosts[path.stem])
            missing = {item["type"] for item in document["exchanges"]} - types
            if missing:
                self.not_there[path.stem] = missing
            else:
                self.documents[path.stem] = document

    def vhost_of(self, document: Any, vhost: str) -> Any:
        """One vhost of an export as a file of its own."""
        kept = {section: [item for item in document.get(section, []) if item.get("vhost") == vhost] for section in SECTIONS}
        vhosts = [item for item in document["vhosts"] if item["name"] == vhost]
        return {"rabbitmq_version": document["rabbitmq_version"], "vhosts": vhosts, **kept}


@pytest.fixture(scope="module")
def taken(way: Way) -> Iterator[tuple[Taken, Any]]:
    version = profile(way.out()["rabbitmq_version"])
    found = Taken(way, version, types_of(way))
    vhosts = list(found.vhosts.values())
    everything = {
        "rabbitmq_version": version,
        **{
            section: [item for document in found.documents.values() for item in document[section]]
            for section in ("vhosts", *SECTIONS)
        },
    }
    try:
        way.into(everything)
        yield found, way.out()
    finally:
        way.remove(vhosts)
    left = [item["name"] for item in way.out()["vhosts"] if item["name"].startswith(PREFIX)]
    assert left == []


def types_of(way: Way) -> set[str]:
    """The exchange types that this broker has, plugins included."""
    if isinstance(way, Management):
        return {item["name"] for item in way.ask("GET", "/api/overview")["exchange_types"]}
    assert isinstance(way, Rabbitmqctl)
    known = way.run("eval", "[T || {T, _} <- rabbit_registry:lookup_all(exchange)].")
    return {name for name in EXCHANGE_TYPES if re.search(rf"[\[',]{re.escape(name)}[\]',]", known)} | CORE_TYPES


def sorted_items(document: Any, section: str) -> list[Any]:
    return sorted(document[section], key=lambda item: json.dumps(item, sort_keys=True))


def as_exported(document: Any, way: Way) -> Any:
    """What this broker's export of the document is known to leave out (rules/routing#S20, rules/routing#F14)."""
    hidden = {
        item["name"]
        for item in document["exchanges"]
        if isinstance(way, Rabbitmqctl) and (item["internal"] or re.match("^amq.", item["name"]))
    }
    exchanges = [item for item in document["exchanges"] if item["name"] not in hidden]
    bindings = [
        item for item in document["bindings"]
        if item["source"] not in hidden and (item["destination_type"] != "exchange" or item["destination"] not in hidden)
    ]  # fmt: skip
    return {**document, "exchanges": exchanges, "bindings": bindings}


@pytest.mark.parametrize("stem", [path.stem for path in SCENARIO_FILES])
def test_the_broker_gives_back_what_was_exported(stem: str, way: Way, taken: tuple[Taken, Any]) -> None:
    found, export = taken
    if stem in found.not_there:
        pytest.skip(f"the broker has no exchanges of type {', '.join(sorted(found.not_there[stem]))}: a plugin is not enabled")
    vhost = found.vhosts[stem]
    text = json.dumps(found.vhost_of(export, vhost))
    topology = imported(Source("broker.json", text), vhost).topology
    mine, theirs = as_exported(found.documents[stem], way), document_of(topology)
    for section in SECTIONS:
        assert sorted_items(theirs, section) == sorted_items(mine, section)
    assert {item["name"] for item in theirs["vhosts"]} == {vhost}


# What a broker does with the odd ones ----------------------------------------------------------------------------------

FLAGS = {"durable": True, "auto_delete": False}
ODD_NAMES = [
    "yes",
    "1.10",
    "# no comment",
    " leading",
    "a: b",
    "schön 😀",
    "\u202e",
    '"quoted"',
    "back\\slash",
    "x" * 255,
    "é" * 127,
    "[red]",
    "\t",
]


def test_odd_names_come_back(way: Way) -> None:
    vhost = f"{PREFIX}-odd"
    text = "\n".join(
        [
            "exchanges:", *(f"  {scalar(name)}: topic" for name in ODD_NAMES),
            "queues:", *(f"  {scalar(name)}: {{arguments: {{x-dead-letter-routing-key: {scalar(name)}, x-dead-letter-exchange: ''}}}}" for name in ODD_NAMES),
            "bindings:", *(f"  - {{source: {scalar(name)}, destination: {scalar(name)}, routing_key: {scalar(name)}}}" for name in ODD_NAMES),
            "policies:", *(f"  - {{name: {scalar(name)}, pattern: x, definition: {{max-length: 5}}}}" for name in ODD_NAMES),
            "operator_policies:", "  - {name: cap, pattern: .*, apply-to: queues, priority: 3, definition: {max-length: 7}}",
        ]
    )  # fmt: skip
    document, warnings = definitions_of(load_source(Source("odd.yaml", text), "", rabbitmq="3.10"), vhost)
    assert warnings == []
    try:
        way.into(document)
        export = way.out()
        theirs = document_of(imported(Source("broker.json", json.dumps(export)), vhost).topology)
    finally:
        way.remove([vhost])
    for section in SECTIONS:
        assert sorted_items(theirs, section) == sorted_items(document, section)


def test_exchanges_whose_name_begins_with_amq_are_missing_in_the_export_of_old_brokers(way: Way) -> None:
    """rules/routing#S20: the importer says so."""
    version = tuple(int(part) for part in way.out()["rabbitmq_version"].split(".")[:2])
    if version >= (3, 11) or isinstance(way, Management):
        pytest.skip("this way of exporting does not lose them")
    vhost = f"{PREFIX}-amq"
    text = "exchanges: {amqp_events: fanout}\nqueues: {q: }\nbindings: [{source: amqp_events, destination: q}]\n"
    try:
        way.into(definitions_of(load_source(Source("s.yaml", text), "", rabbitmq="3.10"), vhost)[0])
        found = imported(Source("broker.json", json.dumps(way.out())), vhost)
    finally:
        way.remove([vhost])
    assert [item.name for item in found.topology.exchanges] == []
    told = next(item for item in found.warnings if item.code == "lost-by-export" and "amqp_events" in item.message)
    assert "before 3.11" in told.message


def test_a_void_is_exported_as_text(way: Way) -> None:
    """rules/routing#S21: only a client can bind with a void; the importer warns."""
    pika = pytest.importorskip("pika")
    vhost = f"{PREFIX}-void"
    try:
        way.into({"vhosts": [{"name": vhost}], "permissions": [
            {"user": "guest", "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"}]})  # fmt: skip
        try:
            connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", virtual_host=vhost))
        except pika.exceptions.AMQPError as problem:
            pytest.skip(f"no AMQP at 127.0.0.1: {problem}")
        channel = connection.channel()
        channel.queue_declare("q", durable=True)
        channel.queue_bind("q", "amq.headers", arguments={"kind": None})
        connection.close()
        found = imported(Source("broker.json", json.dumps(way.out())), vhost)
    finally:
        way.remove([vhost])
    assert found.topology.bindings[0].arguments == {"kind": "undefined"}
    assert [item.code for item in found.warnings] == ["lost-by-export"]
