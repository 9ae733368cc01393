"""What is read of a program of FastStream or kombu is what it declares when it runs, on brokers of each version."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kits.foreign import declared
from kits.live import URLS, live_session

from routesim.celery_app.programs.seen import LIBRARIES, asked_of, topology_of_answer
from routesim.rabbitmq.scratch import scratch_vhost
from routesim.scenario.definitions.importing import imported
from routesim.scenario.topology_data import DeclaredTopology
from routesim.scenario.yaml.source import Source
from routesim.values import Table, raw

SEEN = Path(__file__).parents[1] / "seen"


@pytest.mark.parametrize("version", URLS)
@pytest.mark.parametrize(("kind", "app"), [("faststream", "streaming"), ("kombu", "queued")])
def test_a_program_declares_what_was_read_of_it(version, kind, app):
    pytest.importorskip(kind, reason=f"{kind} is not installed")
    session = live_session(version)
    answer = asked_of(LIBRARIES[kind], app, python=sys.executable, directory=str(SEEN), timeout_s=60).answer
    assert answer is not None
    expected = topology_of_answer(LIBRARIES[kind], app, answer, rabbitmq=session.profile).topology
    with scratch_vhost(session.management) as vhost:
        environment = {**os.environ, "SHOP_BROKER": f"{URLS[version]}/{vhost}"}
        subprocess.run([sys.executable, f"{app}.py"], cwd=SEEN, env=environment, check=True, timeout=60)
        document = session.management.definitions(vhost)
    there = imported(Source("there.json", json.dumps(document)), vhost, rabbitmq=session.profile).topology
    # What nobody consumes any more, or is bound to any more, has gone with its last consumer, and what was bound to it.
    gone = {item.name for item in (*expected.queues, *expected.exchanges) if item.auto_delete}
    gone -= {item.name for item in (*there.queues, *there.exchanges)}
    wanted = expected._replace(
        queues=tuple(item for item in expected.queues if item.name not in gone),
        exchanges=tuple(item for item in expected.exchanges if item.name not in gone),
        bindings=tuple(item for item in expected.bindings if not {item.source, item.destination} & gone),
    )
    assert as_told(there) == as_told(wanted)
    assert gone == ({"eu.mails"} if kind == "faststream" else set())


def as_told(topology: DeclaredTopology) -> dict[str, list[Any]]:
    """Without what a broker's export does not tell: the width of an integer, and, from 4.0 on, who asked for a classic queue."""

    def plain(table: Table) -> dict[str, Any]:
        return {key: raw(value) for key, value in table.items() if (key, value) != ("x-queue-type", "classic")}

    return declared(topology._replace(
        queues=tuple(item._replace(arguments=plain(item.arguments)) for item in topology.queues),
        bindings=tuple(item._replace(arguments=plain(item.arguments)) for item in topology.bindings),
    ))  # fmt: skip
