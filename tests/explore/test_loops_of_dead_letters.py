"""A loop of dead letters comes to where it was, unless somebody reads how often a message has died."""

import pytest
from kits.explored import broken_by, explored_text
from kits.paths import SCENARIOS

LOOP = """
rabbitmq: "{version}"
queues:
  work: {{arguments: {{x-dead-letter-exchange: "", x-dead-letter-routing-key: later}}}}
  later: {{type: {later}, arguments: {{x-message-ttl: 1000, x-dead-letter-exchange: "", x-dead-letter-routing-key: work}}}}
consumers: {{w: {{queue: work, on_message: [{rule}{{do: reject}}]}}}}
steps: [{{publish: {{routing_key: work, id: m}}}}]
"""


@pytest.mark.parametrize("version", ["3.10", "3.13", "4.0", "4.3"])
def test_a_loop_that_nobody_counts_goes_round_for_ever(version: str) -> None:
    """Up to 4.2 a channel looks once a minute for what is not acknowledged, so that the loop is back where it was after one."""
    found = explored_text(LOOP.format(version=version, later="classic", rule=""), kinds=(), max_states=2_000)
    assert found.explored.complete
    assert broken_by(found, "livelock") is not None


@pytest.mark.parametrize("version", ["3.10", "3.13", "4.0", "4.3"])
def test_a_loop_that_is_counted_comes_to_its_end(version: str) -> None:
    rule = '{deaths: ">= 3", do: ack}, '
    found = explored_text(LOOP.format(version=version, later="classic", rule=rule), max_states=2_000)
    assert found.explored.complete
    assert not found.explored.broken


def test_the_example_of_an_endless_loop_is_decided() -> None:
    found = explored_text((SCENARIOS / "dead-letter-cycle-endless.yaml").read_text(encoding="utf-8"), max_states=2_000)
    assert [item.name for item in found.explored.broken] == ["livelock"]
