"""The real brokers that the live tests need: there, or the reason why they are skipped (an error where they are required).

`tests/brokers/start` starts them. ROUTESIM_START_BROKERS=1 has the tests do it, and require them all;
ROUTESIM_REQUIRE_BROKER=1 requires them and leaves the starting to somebody else; ROUTESIM_WITHOUT_BROKERS=4.0,4.3 leaves
some out.
"""

import functools
import importlib.metadata
import os
import subprocess
import sys

import pytest

from kits.paths import ROOT
from routesim.rabbitmq.problems import BrokerProblem
from routesim.rabbitmq.url import amqp_address, web_address
from routesim.run import Result
from routesim.run.on_rabbitmq.rehearsal import rehearsed
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source
from routesim.verify import VerifyVerdict, verify

URLS = {
    "3.10": "amqp://guest:guest@127.0.0.1:5672",
    "4.0": "amqp://guest:guest@127.0.0.1:5640",
    "4.3": "amqp://guest:guest@127.0.0.1:5643",
}
URL = URLS["3.10"]
MANAGEMENT_OFFSET = 10_000  # as tests/brokers/start has it
LEFT_OUT = frozenset(filter(None, os.environ.get("ROUTESIM_WITHOUT_BROKERS", "").split(",")))
REQUIRED = bool(os.environ.get("ROUTESIM_REQUIRE_BROKER"))


def start() -> None:
    """Those that are wanted and do not answer."""
    wanted = [version for version in URLS if version not in LEFT_OUT]
    subprocess.run([str(ROOT / "tests" / "brokers" / "start"), *wanted], check=True, timeout=900)


@functools.cache
def _found(version: str) -> "BrokerSession | str":
    address = amqp_address(URLS[version])
    try:
        return BrokerSession(address, web_address(f"http://127.0.0.1:{address.port + MANAGEMENT_OFFSET}", address))
    except BrokerProblem as problem:
        return str(problem)


def need_celery() -> None:
    """Skips where real workers cannot be run, or fails where they are required. Asked of the installed distributions: a
    directory of this name is on the path of the tests."""
    try:
        importlib.metadata.version("celery")
    except importlib.metadata.PackageNotFoundError:
        if REQUIRED:
            pytest.fail("Celery is required: pip install celery")
        pytest.skip("Celery is not installed")
    if not sys.platform.startswith("linux"):
        pytest.skip("workers are told to end, and killed with their process groups, as on Linux")


def live_session(version: str = "3.10") -> BrokerSession:
    if version in LEFT_OUT:
        pytest.skip(f"RabbitMQ {version} is left out")
    found = _found(version)
    if isinstance(found, str):
        if REQUIRED:
            pytest.fail(f"RabbitMQ {version} is required: {found}")
        pytest.skip(f"RabbitMQ {version}: {found}")
    if not found.version.startswith(f"{version}."):
        pytest.fail(f"at {URLS[version]} is RabbitMQ {found.version}, not {version}")
    return found


def scenario_for(session: BrokerSession, text: str) -> Scenario:
    """A scenario by the rules of the version that the broker has."""
    return load_source(Source("live.yaml", text), "", rabbitmq=session.profile)


def agreed(session: BrokerSession, text: str, *, speed: int = 1) -> VerifyVerdict:
    """The simulator does what the broker does, and neither skips it."""
    return held(session, scenario_for(session, text), speed=speed)


def held(session: BrokerSession, scenario: Scenario, *, speed: int = 1) -> VerifyVerdict:
    """The scenario does the same there. A machine that was too slow is asked again, at half the speed each time."""
    verdict = verify(scenario, session, speed)
    while verdict.skipped and verdict.skipped.startswith("void") and speed > 1:
        speed //= 2
        verdict = verify(scenario, session, speed)
    assert (verdict.skipped, verdict.difference) == (None, None), scenario.name
    return verdict


def run_there(session: BrokerSession, text: str, *, speed: int = 1) -> Result:
    """The scenario on the real broker, for as long as the simulator finds something to do."""
    scenario = scenario_for(session, text)
    simulated, plan = rehearsed(scenario)
    assert not simulated.endless, "nobody would end it"
    return session.run(scenario, None, plan=plan, speed=speed)
