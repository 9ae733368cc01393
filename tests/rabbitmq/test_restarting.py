"""`verify --restart`: a scenario that restarts the broker, on a broker that may be restarted."""

import sys

import pytest
from kits.scenario import routesim

from routesim.rabbitmq.problems import BrokerProblem
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source
from routesim.verify import verify

TEXT = """
queues: {jobs: {type: quorum}, rest: }
consumers: {worker: {queue: jobs, prefetch: 1, on_message: hold, start: false}}
steps:
  - publish: {routing_key: jobs, id: held}
  - publish: {routing_key: jobs, id: next}
  - publish: {routing_key: rest, id: other}
  - consume: worker
  - restart: RESTART
"""
NOTHING = f"{sys.executable} -c pass"


def scenario(session: BrokerSession, how: str = "clean") -> Scenario:
    return load_source(Source("restart.yaml", TEXT.replace("RESTART", how)), "", rabbitmq=session.profile)


@pytest.fixture
def restarted(session: BrokerSession) -> object:
    """The session's command is the test's; the broker of all tests is not restarted, only its connections are lost."""
    yield lambda command: setattr(session, "restart_command", command)
    session.restart_command = None


def test_without_a_command_it_is_skipped(session: BrokerSession) -> None:
    assert verify(scenario(session), session).skipped == "needs a restart of the broker"


def test_with_a_command_everybody_comes_back_to_what_is_durable(session: BrokerSession, restarted: object) -> None:
    restarted(NOTHING)  # type: ignore[operator]
    verdict = verify(scenario(session), session)
    assert (verdict.skipped, verdict.difference) == (None, None)


def test_a_kill_is_no_matter_of_a_command(session: BrokerSession, restarted: object) -> None:
    restarted(NOTHING)  # type: ignore[operator]
    assert verify(scenario(session, "kill"), session).skipped == "needs a broker that is killed"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-command now", "cannot be run"),
        ("'", "cannot be run"),
        (f"{sys.executable} -c 'import sys; sys.exit(\"not now\")'", "failed with status 1: not now"),
    ],
)
def test_a_command_that_fails_ends_it(session: BrokerSession, restarted: object, command: str, said: str) -> None:
    restarted(command)  # type: ignore[operator]
    with pytest.raises(BrokerProblem, match=said):
        verify(scenario(session), session)


def test_the_option_is_in_the_help() -> None:
    assert "--restart" in routesim("verify", "--help").out
