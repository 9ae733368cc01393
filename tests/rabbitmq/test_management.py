"""Definitions are fetched without secrets; scratch vhosts are told from everybody else's."""

import calendar
import json
import time

import pytest

from routesim.rabbitmq.http.management import Management, without_secrets
from routesim.rabbitmq.problems import BrokerProblem
from routesim.rabbitmq.scratch import fresh_name, is_left_over, scratch_vhost, sweep
from routesim.rabbitmq.url import WebAddress
from routesim.rabbitmq.wire import _decode_value, encoded
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.values import Typed, raw

NOW = calendar.timegm((2026, 1, 2, 3, 0, 0))


def test_secrets_are_left_out() -> None:
    found = without_secrets({
        "rabbit_version": "3.10.8",
        "users": [{"name": "u", "password_hash": "HASH"}],
        "permissions": [{"user": "u"}],
        "topic_permissions": [],
        "parameters": [
            {"component": "shovel", "name": "s", "value": {"src-uri": "amqp://u:HIDE1@h"}},
            {"component": "federation-upstream", "name": "f", "value": {"uri": ["amqp://u:HIDE2@h"]}},
            {"component": "operator_policy", "name": "p", "value": {"pattern": "", "definition": {"max-length": 1}}},
            {"component": "mine", "name": "m", "value": {"api_key": "HIDE3", "hosts": ["https://a:HIDE4@h", "plain"], "note": "see amqp://x:HIDE5@y"}},
        ],
        "global_parameters": [{"name": "cluster_name", "value": "rabbit@h"}, {"name": "t", "value": {"token": "HIDE6"}}],
        "queues": [{"name": "q", "vhost": "/", "arguments": {"x-max-length": 3}}],
    })  # fmt: skip
    text = json.dumps(found)
    assert "HIDE" not in text
    assert "HASH" not in text
    assert found["queues"] == [{"name": "q", "vhost": "/", "arguments": {"x-max-length": 3}}]
    assert [item["component"] for item in found["parameters"]] == ["operator_policy", "mine"]


@pytest.mark.parametrize(
    ("name", "left_over"),
    [
        ("routesim-20260102T010000Z-12-abcdef", True),
        ("routesim-20260102T020001Z-12-abcdef", False),
        ("routesim-20260102T040000Z-12-abcdef", False),
        ("routesim-20269902T010000Z-12-abcdef", False),
        ("routesim-production", False),
        ("my-routesim-20260102T010000Z-12-abcdef", False),
        ("routesim-20260102T010000Z-12-abcdef-2", False),
    ],
)
def test_only_our_own_old_vhosts_are_left_over(name: str, left_over: bool) -> None:
    assert is_left_over(name, NOW) is left_over
    assert not is_left_over(fresh_name(), time.time())


@pytest.mark.parametrize(
    "value",
    [1, -(2**40), 1.5, True, None, "text", "é", {"a": [1, {"b": None}]}, Typed("short", -3), Typed("byte", 1), Typed("unsignedint", 7),
     Typed("float", 0.5), Typed("timestamp", 1700000000), Typed("bytes", b"\xff"), Typed("decimal", (2, 314)), Typed("long", 5)],
)  # fmt: skip
def test_values_survive_the_wire_with_their_types(value: object) -> None:
    found, end = _decode_value(encoded(value), 0)
    assert end == len(encoded(value))
    assert encoded(found) == encoded(value)
    assert raw(found) == raw(value)


def test_a_vhost_is_fetched_made_and_swept(session: BrokerSession) -> None:
    management = session.management
    with scratch_vhost(management) as vhost:
        management.call("PUT", f"queues/{vhost}/q", {"durable": True, "arguments": {"x-max-length": 3}})
        found = management.definitions(vhost)
        assert [queue["name"] for queue in found["queues"]] == ["q"]
        everything = management.definitions()
        assert "users" not in everything
        assert "password" not in json.dumps(everything)
        assert vhost in management.vhosts()
    assert vhost not in management.vhosts()
    with pytest.raises(BrokerProblem, match="there is no vhost"):
        management.definitions(vhost)
    old = "routesim-20200101T000000Z-1-abcdef"
    management.create_vhost(old)
    assert old in sweep(management)
    assert old not in management.vhosts()


def test_the_password_is_in_no_error(session: BrokerSession) -> None:
    address = session.management.address._replace(password="s3cret")
    with pytest.raises(BrokerProblem, match="refuses the user name or password") as refused:
        Management(address).vhosts()
    assert "s3cret" not in str(refused.value)


def test_an_old_vhost_in_which_somebody_works_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may well take longer than the hour after which others count its vhost as left behind."""
    used, left = "routesim-20200101T000000Z-1-abcdef", "routesim-20200101T000000Z-2-abcdef"
    gone: list[str] = []
    monkeypatch.setattr(Management, "vhosts", lambda self: ["/", used, left, "shop"])
    monkeypatch.setattr(Management, "in_use", lambda self, name: name == used)
    monkeypatch.setattr(Management, "delete_vhost", lambda self, name: gone.append(name))
    assert sweep(Management(WebAddress("http://nobody", "u", "p"))) == [left] == gone


def test_who_is_connected_uses_a_vhost(session: BrokerSession) -> None:
    import pika

    with scratch_vhost(session.management) as name:
        assert not session.management.in_use(name)
        login = pika.PlainCredentials(session.amqp.user, session.amqp.password)
        connection = pika.BlockingConnection(pika.ConnectionParameters(session.amqp.host, session.amqp.port, name, login))
        limit = time.monotonic() + 20
        while not session.management.in_use(name) and time.monotonic() < limit:  # the plugin hears of it a little late
            time.sleep(0.2)
        assert session.management.in_use(name)
        connection.close()
