"""What is left out of a comparison, because a race or the broker's own names decide it."""

import pytest
from kits.live import agreed, scenario_for

from routesim.run import Runner
from routesim.run.observations import Observations
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.verify import verify
from routesim.verify.comparing import Leniency, Races, first_difference

TWO_CHANNELS = """
queues: {{q: {{}}, r: {{}}}}
channels: {{a: {{connection: both}}, b: {{connection: both}}}}
consumers:
  a: {{queue: q, channel: a, prefetch: 2, on_message: hold}}
  b: {{queue: {second}, channel: b, prefetch: 2, on_message: hold}}
  c: {{queue: q, prefetch: 1, on_message: hold}}
steps:
  - publish: {{routing_key: q, id: m, count: 6}}
  - publish: {{routing_key: r, id: n, count: 2}}
  - {end}: a
until: steps
"""


class Profile:
    profile = "4.3"


@pytest.mark.parametrize(("second", "end", "race"), [("q", "crash", True), ("r", "crash", False), ("q", "close", False)])
def test_channels_that_end_at_once_race_for_their_common_queue(second: str, end: str, race: bool) -> None:
    scenario = scenario_for(Profile, TWO_CHANNELS.format(second=second, end=end))  # type: ignore[arg-type]
    races = Races(scenario)
    Runner(scenario, races.hear).run()
    assert races.any is race


def test_a_race_is_no_difference(session: BrokerSession) -> None:
    agreed(session, TWO_CHANNELS.format(second="q", end="crash"))


def observations(text: str) -> Observations:
    return Observations({}, {}, {}, [], [], [], [{"step": 0, "code": 405, "text": text}], {})


@pytest.mark.parametrize(("real", "differs"), [("a text that is c...", False), ("another text...", True), ("a text", True)])
def test_a_text_that_the_broker_cut_is_compared_as_far_as_it_goes(real: str, differs: bool) -> None:
    result = Runner(scenario_for(Profile, "queues: {q: }\n")).run()  # type: ignore[arg-type]
    found = first_difference(observations("a text that is cut"), observations(real), result, Leniency())
    assert (found is not None) is differs


DIES_MEANWHILE = """
queues: {q: {arguments: {x-max-length: 1, x-dead-letter-exchange: "", x-dead-letter-routing-key: dead}}, dead: {type: quorum}}
channels: {a: {connection: both}, b: {connection: both}}
consumers:
  a: {queue: q, channel: a, prefetch: 2, on_message: hold}
  b: {queue: dead, channel: b, on_message: hold}
steps: [{publish: {routing_key: q, count: 2}}, {close: a}]
until: steps
"""


def test_what_dies_while_channels_end_reaches_one_of_them_or_not(session: BrokerSession) -> None:
    """The queue drops a message when the first channel gives it back; the second one's consumer may still be there."""
    agreed(session, DIES_MEANWHILE)


COMES_HOME = """
queues:
  q:
    type: quorum
    arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: q, x-dead-letter-strategy: at-least-once,
                x-overflow: reject-publish%s}
steps: [{publish: {routing_key: q}}, {get: {queue: q, channel: g}}, {nack: {channel: g, delivery_tag: 1, requeue: false}}, {wait: 500ms}]
until: steps
"""


def test_what_comes_home_at_least_once_to_a_limit_is_not_compared(session: BrokerSession) -> None:
    """It is counted twice until it is confirmed (rules/queues#6.5)."""
    agreed(session, COMES_HOME % "")
    limited = verify(scenario_for(session, COMES_HOME % ", x-max-length: 2"), session)
    assert limited.skipped == "a dead letter that comes back at least once to q, which has a limit: a race with its confirm"


SERVER_NAMED = """
queues: {own: {server_named: true}}
consumers: {c: {queue: own}}
steps: [{publish: {routing_key: own, id: a}}, {get: {queue: own}}]
"""


def test_a_publish_by_the_alias_of_a_server_named_queue_reaches_it(session: BrokerSession) -> None:
    assert agreed(session, SERVER_NAMED).difference is None


TWICE = """
exchanges: {{x: fanout}}
queues: {{first: {{type: quorum}}, second: {{arguments: {{x-max-length: {limit}, x-dead-letter-exchange: x}}}}}}
bindings: [{{source: x, destination: first}}, {{source: x, destination: second}}]
steps: [{{publish: {{exchange: x}}}}]
"""


@pytest.mark.parametrize(("limit", "race"), [(0, True), (1, False)])
def test_a_message_races_with_its_own_dead_letter(limit: int, race: bool) -> None:
    scenario = scenario_for(Profile, TWICE.format(limit=limit))  # type: ignore[arg-type]
    races = Races(scenario)
    Runner(scenario, races.hear).run()
    assert races.any is race
