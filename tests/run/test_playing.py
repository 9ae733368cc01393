"""A scenario that acts on a broker which others let time pass for does just what it does in a run."""

from pathlib import Path
from typing import Any

import pytest
from kits.paths import ALL_SCENARIO_FILES, ROOT

from routesim import events
from routesim.broker.rabbit_broker import RabbitBroker
from routesim.run import Runner
from routesim.run.playing import Player
from routesim.scenario import load
from routesim.steps import Consume
from routesim.versions import rules

FILES = ALL_SCENARIO_FILES
# What a run looks at beyond its events, and what is said once more where things are declared before.
BEFORE = {events.ExchangeDeclared, events.QueueDeclared, events.Bound, events.PolicySet}


def played(scenario: Any, until_ms: int, every_ms: int) -> tuple[Player, list[Any]]:
    heard: list[Any] = []
    broker = RabbitBroker(
        rules(scenario.rabbitmq),
        vhost=scenario.vhost,
        seed=scenario.seed,
        settings=scenario.settings,
        channel_plans=dict(scenario.channels),
    )
    for declaration in scenario.declarations:
        if not isinstance(declaration.step, Consume):
            broker.apply(declaration.step)

    def hand_out() -> None:
        while broker.outbox:
            player.take(broker.outbox.popleft())

    player = Player(scenario, broker, hand_out, heard.append)
    player.begin()
    at_ms = 0
    while at_ms < until_ms:
        at_ms = min(until_ms, at_ms + every_ms)
        player.advance(at_ms)
    return player, heard


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "scenarios")))
def test_a_scenario_alone_is_played_as_it_is_run(path: Path) -> None:
    scenario = load(str(path))
    if scenario.settings.kind == "redis":
        pytest.skip("a server is a RabbitMQ")
    ran: list[Any] = []
    result = Runner(scenario, ran.append, keep=False).run()
    if result.endless:
        pytest.skip("a run that is stopped")
    player, heard = played(scenario, result.clock_ms, max(1, result.clock_ms // 7))
    assert player.stopped is None
    assert [each for each in heard if type(each) not in BEFORE] == [
        each for each in ran if type(each) not in BEFORE and not _at_the_end(each)
    ]
    end = player.finish()
    wanted = [(item.text, item.ok) for item in result.expectations if not item.text.startswith("ended")]
    assert [(item.text, item.ok) for item in end.expectations if not item.text.startswith("ended")] == wanted


def _at_the_end(event: Any) -> bool:
    return type(event) is events.Expected and event.step is None
