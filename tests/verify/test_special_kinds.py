"""Each special kind of random scenarios: it is drawn where a version has it, comes to rest, and does the same on a real broker."""

import pytest

from routesim.run import Runner
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario.yaml.writing import text
from routesim.verify import verify
from routesim.verify.drawing import KINDS, draw, scenario_of
from routesim.verify.drawing.kinds import kinds_for
from routesim.versions import rules

TYPES = frozenset({
    "direct", "fanout", "topic", "headers", "x-random", "x-local-random", "x-recent-history", "x-consistent-hash",
    "x-modulus-hash",
})  # fmt: skip
# What a document has that was drawn with the kind, and without it never.
SIGNS = {
    "streams": "type: stream", "negative delivery limits": "x-delivery-limit: -", "leases": "x-expires: 3600000",
    "consumer arguments": "consume: ca", "shared connections": "connection: both", "exclusive queues": "exclusive: true",
    "server-named queues": "server_named: true", "operator policies": "operator_policies:", "policies in mid-run": "name: mid",
    "at-least-once": "at-least-once", "delayed retries": "x-delayed-retry-type", "transactions": "do: select",
    "internal exchanges": "internal: true", "dice": "x-random", "local dice": "x-local-random",
    "default queue types": "default_queue_type", "several channels to a publisher": "channel: p", "restarts": "restart: clean",
}  # fmt: skip


def test_every_kind_has_a_sign() -> None:
    assert SIGNS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["3.10", "4.0", "4.3"])
def test_a_kind_is_drawn_and_comes_to_rest(version: str, kind: str) -> None:
    if kind not in kinds_for(rules(version), TYPES, restarts=True):
        pytest.skip("not in this version")
    documents = [draw(1, number, version, TYPES, only=[kind]) for number in range(8)]
    assert sum(SIGNS[kind] in text(document) for document in documents) >= 4
    for document in documents:
        result = Runner(scenario_of(document, version)).run()
        assert result.ended in ("steps", "livelock")


def test_kinds_are_drawn_where_they_exist() -> None:
    assert "delayed retries" not in kinds_for(rules("4.2"), TYPES, restarts=False)
    assert "local dice" not in kinds_for(rules("3.10"), TYPES, restarts=False)
    assert "dice" not in kinds_for(rules("4.3"), frozenset({"direct"}), restarts=False)
    drawn = "".join(text(draw(5, number, "4.3", TYPES)) for number in range(150))
    assert [kind for kind, sign in SIGNS.items() if sign not in drawn] == ["restarts"]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "restarts"])
def test_a_kind_does_the_same_on_a_real_broker(session: BrokerSession, kind: str, number: int) -> None:
    if kind not in kinds_for(rules(session.profile), session.types, restarts=False):
        pytest.skip("not in this version")
    document = draw(2, number, session.profile, session.types, only=[kind])
    verdict = verify(scenario_of(document, session.profile), session)
    assert verdict.difference is None, text(document)
