"""Live brokers make of small definitions files what is recorded of them, and by what routesim is judged elsewhere."""

import json
import os

import pytest
from kits.imports import CASES, RECORDED, imported_by, recorded
from kits.live import MANAGEMENT_OFFSET, URLS, live_session
from kits.management import AskedApi

from routesim.rabbitmq.url import amqp_address

VHOST = f"routesim-imports-{os.getpid()}"
RACES = ("max-queues of a vhost", "queue twice, of two types")  # several are made at the same time: who comes first differs
RECORD = bool(os.environ.get("UPDATE_RECORDED"))


@pytest.mark.parametrize("version", URLS)
def test_a_broker_makes_of_each_file_what_is_recorded(version: str) -> None:
    """Status, text, and what is there then. UPDATE_RECORDED=1 writes it down anew."""
    live_session(version)
    api = AskedApi(amqp_address(URLS[version]).port + MANAGEMENT_OFFSET)
    found = {name: imported_by(api, name, VHOST) for name in CASES}
    if RECORD:
        known = recorded() if RECORDED.exists() else {}
        whole = {name: {**known.get(name, {}), version: found[name]} for name in CASES}
        lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(row, sort_keys=True)}" for name, row in whole.items())
        RECORDED.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    for name, row in recorded().items():
        assert found[name]["status"] == row[version]["status"], name
        assert _loose(found[name]["reason"]) == _loose(row[version]["reason"]), name
        assert found[name]["there"] == row[version]["there"] or name in RACES, name


def _loose(reason: str) -> str:
    """Without the lines of RabbitMQ's own sources, which every patch moves."""
    return reason.split("[{")[0]
