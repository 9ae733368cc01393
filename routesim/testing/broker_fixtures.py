"""Fixtures of the pytest plugin for code that talks AMQP. Nothing of the server is imported before a test asks for one."""

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from routesim.serve.thread import ServerThread
    from routesim.testing.served_broker import ServedBroker

MARK = "routesim"
ARGUMENTS = ("file", "rabbitmq", "clock", "play", "may_lose")
NUMBERS = count(1)
SECTION = "RabbitMQ, as routesim saw it"


def declare_marker(config: pytest.Config) -> None:
    """To be called when pytest is configured."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(file=None, rabbitmq=None, clock='real', play=False, may_lose=True): what `routesim_broker` is for a test. The "
        "scenario or definitions file that declares what is there; the version; whether time passes only when it is told "
        "(clock='manual'); whether the file's consumers act; whether losing a message fails the test (may_lose=False).",
    )


@pytest.fixture(scope="session")
def _routesim_servers() -> "Iterator[dict[tuple[str, str], ServerThread]]":
    """One server for each version and clock that tests ask for, in this process."""
    servers: dict[tuple[str, str], ServerThread] = {}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture
def routesim_broker(
    request: pytest.FixtureRequest, _routesim_servers: "dict[tuple[str, str], ServerThread]"
) -> "Iterator[ServedBroker]":
    """A RabbitMQ with a virtual host of this test's own: connect to its `url`."""
    missing = [name for name in ("pamqp", "h11") if find_spec(name) is None]
    if missing:
        pytest.fail(f"routesim_broker needs {' and '.join(missing)}: pip install {' '.join(missing)}", pytrace=False)
    from routesim.testing.served_broker import ServedBroker, scenario_for, server_of

    asked = asked_of(request.node)
    file = asked.get("file")
    given = scenario_for(None if file is None else _beside(file, request), asked.get("rabbitmq"))
    version, clock = asked.get("rabbitmq") or given.rabbitmq, asked.get("clock", "real")
    server = _routesim_servers.get((version, clock))
    if server is None:
        server = _routesim_servers[version, clock] = server_of(version, clock)
    broker = ServedBroker(server, f"test-{next(NUMBERS)}", given, play=bool(asked.get("play")))
    try:
        yield broker
        if asked.get("may_lose") is False and broker.lost:
            lost = "\n".join(f"  {item.message}: {item.why}" for item in broker.lost)
            pytest.fail(f"lost {len(broker.lost)}:\n{lost}\n\n{broker.trace()}", pytrace=False)
    finally:
        broker.close()


def asked_of(item: pytest.Item) -> dict[str, Any]:
    """What the nearest marks of a test say. Raises `UsageError` for what no mark has."""
    found: dict[str, Any] = {}
    for mark in item.iter_markers(MARK):
        unknown = [name for name in mark.kwargs if name not in ARGUMENTS]
        if unknown or len(mark.args) > 1:
            wrong = unknown[0] if unknown else mark.args[1]
            raise pytest.UsageError(f"{item.nodeid}: the mark {MARK} takes {', '.join(ARGUMENTS)}, not {wrong!r}")
        given = {**({"file": mark.args[0]} if mark.args else {}), **mark.kwargs}
        found = {**given, **found}
    return found


def _beside(path: str, request: pytest.FixtureRequest) -> Path:
    """A relative path is looked for beside the test, then in the root."""
    beside = request.path.parent / path
    return beside if beside.exists() else request.config.rootpath / path


def told_of_failure(item: pytest.Item, report: pytest.TestReport) -> None:
    """A test that failed shows what its broker saw."""
    broker = getattr(item, "funcargs", {}).get("routesim_broker")
    if broker is not None and report.when == "call" and report.failed:
        report.sections.append((SECTION, broker.report()))
