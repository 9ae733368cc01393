"""rules/queues#1.10: verify makes its vhost with the default queue type that a scenario asks for."""

import pytest
from kits.live import agreed

from routesim.run.on_rabbitmq.session import BrokerSession


@pytest.mark.parametrize("kind", ["classic", "quorum", "stream"])
def test_1_10_a_queue_without_a_type(session: BrokerSession, kind: str) -> None:
    agreed(
        session,
        f"""
        broker: {{default_queue_type: {kind}}}
        queues: {{q: {{}}, mine: {{exclusive: true}}, c: {{type: classic}}}}
        steps:
          - publish: {{routing_key: q, id: a}}
          - publish: {{routing_key: mine, id: b}}
          - publish: {{routing_key: c, id: c}}
          - declare: {{queues: {{q: {{type: {"classic" if kind == "quorum" else "quorum"}}}}}}}
            fails: 406
        """,
    )
