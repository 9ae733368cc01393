"""--speed and x-expires: shorter where an unused queue goes in the run, else as it is, so that no client comes too late."""

import pytest
from kits.live import agreed, scenario_for

from routesim.rabbitmq.pace import Pace
from routesim.run.on_rabbitmq.rehearsal import rehearsed
from routesim.run.on_rabbitmq.session import BrokerSession

STAYS = """
queues: {q: {arguments: {x-expires: 10000}}, r: {}}
consumers: {c: {queue: q, start: false}}
steps:
  - wait: 4s
  - consume: c
  - publish: {routing_key: q, id: m}
  - wait: 20s
"""
GOES = """
queues: {q: {arguments: {x-expires: 10000}}, r: {}}
steps:
  - publish: {routing_key: q, id: m}
  - wait: 20s
  - declare: {queues: {q: {}}}
"""


class Profile:
    profile = "4.3"


def test_a_lease_that_never_ends_is_not_shortened() -> None:
    for text, ends, sent in ((STAYS, False, 10_000), (GOES, True, 500)):
        scenario = scenario_for(Profile, text)  # type: ignore[arg-type]
        plan = rehearsed(scenario)[1]
        assert plan.leases_end is ends
        queue = scenario.declarations[0].step.queue  # type: ignore[union-attr]
        assert Pace(20, plan.leases_end).queue(queue).arguments["x-expires"] == sent


@pytest.mark.parametrize(("text", "speed"), [(STAYS, 20), (GOES, 5)], ids=["stays", "goes"])
def test_5_9_an_unused_queue_at_speed(session: BrokerSession, text: str, speed: int) -> None:
    agreed(session, text, speed=speed)
