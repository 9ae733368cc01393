"""An import into `serve` is answered as a real broker answers it: status, reason, and what is there then.

The brokers' answers are recorded (`tests/scenario/definitions/recorded`), and held against live ones by
`tests/rabbitmq/test_imports_live.py`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kits.imports import CASES, imported_by, recorded
from kits.management import AskedApi
from kits.serving import serving

VERSIONS = {"3.10": "3.10.8", "4.0": "4.0.5", "4.3": "4.3.6"}
VHOST = "served-imports"
PLUGIN, RACE = "as if the plugin were there", "a race"
DEVIATIONS = {
    "policy federation": PLUGIN,
    "shovel": PLUGIN,
    "an exchange of a plugin": PLUGIN,
    "delayed exchange without its type": PLUGIN,
    "queue twice, of two types": RACE,
    "max-queues of a vhost": "limits of virtual hosts are not kept",
    "a long name": "AMQP has no names beyond 255 bytes",
}
HALF_MADE = ("binding without routing_key", "binding key that is a number")  # 4.0.5 refuses the import, and has made the binding


@pytest.fixture(scope="module", params=VERSIONS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, AskedApi]]:
    file: Path = tmp_path_factory.mktemp("served") / "empty.yaml"
    file.write_text(f'rabbitmq: "{VERSIONS[request.param]}"\n', encoding="utf-8")
    with serving("--management-port", "0", str(file)) as server:
        yield request.param, AskedApi(server.address["management_port"])


def _loose(reason: str) -> str:
    """Without the lines of RabbitMQ's own sources, and without the line breaks of long Erlang terms."""
    return "".join(reason.split("[{")[0].split())


@pytest.mark.parametrize("name", [name for name in CASES if name not in DEVIATIONS])
def test_an_import_is_answered_as_a_broker_does(served: tuple[str, AskedApi], name: str) -> None:
    version, api = served
    expected, found = recorded()[name][version], imported_by(api, name, VHOST)
    assert found["status"] == expected["status"], (found["reason"], expected["reason"])
    assert _loose(found["reason"]) == _loose(expected["reason"])
    if version != "4.0" or name not in HALF_MADE:
        assert found["there"] == expected["there"]
