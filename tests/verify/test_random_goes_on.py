"""`verify --random` and a broker that fails in the midst of a scenario: the others are tried, and what was found is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from kits.scenario import routesim

from routesim.cli.handlers import verifying
from routesim.rabbitmq.problems import BrokerProblem
from routesim.verify import VerifyVerdict

RANDOM = ("verify", "--broker", "amqp://localhost", "--random", "4", "--seed", "9", "--format", "json")


class Session:
    """A broker of which nothing is asked."""

    profile, version = "4.3", "4.3.6"
    types = frozenset({"direct", "fanout", "topic", "headers"})
    restart_command = None

    def __init__(self, *, answers: bool) -> None:
        self.there = answers

    def answers(self) -> bool:
        return self.there


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_up(*, answers: bool) -> None:
        def verify(scenario: Any, *_: Any, **__: Any) -> VerifyVerdict:
            if scenario.name == "random-9-1":
                raise BrokerProblem("the broker closed the connection: INTERNAL_ERROR")
            return VerifyVerdict(scenario.file, scenario.name, tries=1)

        monkeypatch.setattr(verifying, "session", lambda target: Session(answers=answers))
        monkeypatch.setattr(verifying, "verify", verify)
        monkeypatch.setattr(verifying, "BETWEEN_S", 0)

    return set_up


def test_a_broker_that_comes_back_is_asked_the_rest(failing: Any, tmp_path: Path) -> None:
    failing(answers=True)
    outcome = routesim(*RANDOM, "--keep", str(tmp_path))
    found = json.loads(outcome.out)["verdicts"]
    assert outcome.status == 0
    assert [item["agrees"] for item in found] == [True, False, True, True]
    assert found[1]["skipped"] == "void: the broker closed the connection: INTERNAL_ERROR"
    assert (tmp_path / "random-9-1.yaml").read_text().startswith("name: random-9-1")


def test_what_was_found_before_it_was_lost_is_told(failing: Any, tmp_path: Path) -> None:
    failing(answers=False)
    outcome = routesim(*RANDOM, "--keep", str(tmp_path))
    assert outcome.status == 3
    assert [item["agrees"] for item in json.loads(outcome.out)["verdicts"]] == [True, False]
    assert "INTERNAL_ERROR" in outcome.err


def test_who_ends_it_is_told_what_was_found_until_then(failing: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failing(answers=True)

    def verify(scenario: Any, *_: Any, **__: Any) -> VerifyVerdict:
        if scenario.name == "random-9-2":
            raise KeyboardInterrupt
        return VerifyVerdict(scenario.file, scenario.name, tries=1)

    monkeypatch.setattr(verifying, "verify", verify)
    outcome = routesim(*RANDOM, "--keep", str(tmp_path))
    assert outcome.status == 130
    assert [item["agrees"] for item in json.loads(outcome.out)["verdicts"]] == [True, True]
