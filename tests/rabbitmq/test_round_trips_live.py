"""Definitions files of other people: a broker holds the same of the file itself as of our export of our import of it.

The folder that ROUTESIM_DEFINITIONS names, and the definitions file among the scenarios.
"""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from kits.imports import remove
from kits.live import MANAGEMENT_OFFSET, URLS, live_session
from kits.management import AskedApi, part
from kits.paths import SCENARIOS

from routesim.diagnostics import Invalid
from routesim.rabbitmq.url import amqp_address
from routesim.scenario.definitions.exporting import document_of
from routesim.scenario.definitions.importing import imported
from routesim.scenario.yaml.source import Source

FOLDER = os.environ.get("ROUTESIM_DEFINITIONS")
FILES = [SCENARIOS / "celery-definitions.json", *(sorted(Path(FOLDER).rglob("*.json*")) if FOLDER else ())]
VHOST = f"routesim-round-{os.getpid()}"
SECTIONS = ("exchanges", "queues", "bindings", "policies", "parameters")
LARGE = 1_000_000  # bytes: what takes a broker minutes is left out
Item = dict[str, Any]


def text_of(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


def of_vhost(document: Item, vhost: str) -> Item:
    """The topology of one virtual host as a file of its own, for a broker without the plugins that it may name."""
    found: Item = {"vhosts": []}
    for item in document.get("vhosts") or []:
        if item["name"] == vhost:
            found["vhosts"] = [{**item, "name": VHOST}]
    found["vhosts"] = found["vhosts"] or [{"name": VHOST}]
    for section in SECTIONS:
        items = [item for item in document.get(section) or [] if item.get("vhost", vhost) == vhost]
        if section == "parameters":
            items = [item for item in items if item["component"] == "operator_policy"]
        if section == "policies":  # federation is a plugin's
            items = [item for item in items if not any("federation" in key for key in item["definition"])]
        found[section] = [_plain({**item, "vhost": VHOST}) for item in items]
    return found


def _plain(item: Item) -> Item:
    """A delayed exchange as the type of exchange that it is at heart: the plugin is no part of RabbitMQ."""
    if item.get("type") == "x-delayed-message":
        rest = {key: value for key, value in item["arguments"].items() if key != "x-delayed-type"}
        return {**item, "type": item["arguments"]["x-delayed-type"], "arguments": rest}
    return item


def held_after(api: AskedApi, document: Item) -> "Item | str":
    """What the broker then holds, or its answer where it refuses the file."""
    remove(api, VHOST)
    try:
        answer = api("POST", "definitions", document)
        if answer.status != 204:
            return str(answer.body)
        found: Item = api("GET", f"definitions/{part(VHOST)}").body
        return {
            section: sorted(
                ({key: value for key, value in item.items() if key != "vhost"} for item in found.get(section) or []), key=repr
            )
            for section in SECTIONS
        }
    finally:
        remove(api, VHOST)


@pytest.mark.parametrize("version", URLS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_broker_holds_the_same_of_a_file_and_of_our_export_of_it(path: Path, version: str) -> None:
    session = live_session(version)
    api = AskedApi(amqp_address(URLS[version]).port + MANAGEMENT_OFFSET)
    text = text_of(path)
    if len(text) > LARGE:
        pytest.skip("large")
    permitted = tuple(name for name, there in session.features.items() if there)
    try:
        topology = imported(Source(path.name, text), rabbitmq=session.profile, permit=permitted).topology
    except Invalid as invalid:
        pytest.skip(f"refused: {invalid.diagnostics[0].message}")
    original = of_vhost(json.loads(text), topology.vhost)
    ours = of_vhost(document_of(topology), topology.vhost)
    if any("auto_delete" not in item for item in original["exchanges"]):
        pytest.skip("brokers before 4.2.2 store an exchange that does not say whether it is auto-delete with neither")
    if any("routing_key" not in item for item in original["bindings"]):
        pytest.skip("brokers store a binding without a key under one that is no text")
    original["bindings"] = [item for item in original["bindings"] if item["source"]]  # of the default exchange: without effect
    theirs = held_after(api, original)
    assert not isinstance(theirs, str), "refused there, and taken here"
    assert held_after(api, ours) == theirs
