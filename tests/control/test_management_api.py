"""The management API of `serve` by itself: who may ask, lists, messages, definitions, connections, and what others see of it."""

import base64
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest
from kits.cli import routesim
from kits.management import AskedApi, part
from kits.serving import Served, serving

from routesim.model import Policy
from routesim.rabbitmq.http.management import Management, ManagementError
from routesim.rabbitmq.url import amqp_address, web_address
from routesim.values import plain

ADMIN = {"authorization": "Basic " + base64.b64encode(b"guest:guest").decode()}
SOON_S = 10


@pytest.fixture(scope="module", params=["3.10", "4.0", "4.3"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with serving("--rabbitmq", request.param) as server:
        yield server


@pytest.fixture(scope="module")
def newest() -> Iterator[Served]:
    with serving() as server:
        yield server


@pytest.fixture
def api(newest: Served) -> AskedApi:
    return AskedApi(newest.address["management_port"])


@pytest.fixture
def vhost(api: AskedApi, request: pytest.FixtureRequest) -> Iterator[str]:
    name = part(request.node.name)
    assert api("PUT", f"vhosts/{name}", {}).status == 201
    yield name
    api("DELETE", f"vhosts/{name}")


def client(served: Served, vhost: str, name: str = "app") -> pika.BlockingConnection:
    parameters = pika.URLParameters(f"amqp://guest:guest@127.0.0.1:{served.port}/{vhost}")
    parameters.client_properties = {"connection_name": name}
    return pika.BlockingConnection(parameters)


# Who may ask ---------------------------------------------------------------------------------------------------------


def test_nobody_is_asked_for_a_password(served: Served) -> None:
    answer = AskedApi(served.address["management_port"], None)("GET", "overview")
    assert (answer.status, answer.body) == (401, None)
    assert answer.headers["www-authenticate"] == 'Basic realm="RabbitMQ Management"'


@pytest.mark.parametrize("user", ["guest:wrong", "nobody:guest", "guest", ":", "g\u00fcst:x"])
def test_a_wrong_password_is_refused(served: Served, user: str) -> None:
    reason = "Login failed" if served.address["rabbitmq"] == "3.10" else "Not_Authorized"
    answer = AskedApi(served.address["management_port"], user)("GET", "nothing/of/the/kind")
    assert (answer.status, answer.body) == (401, {"error": "not_authorized", "reason": reason})


def test_other_users_ask_as_well(tmp_path: Path) -> None:
    with serving("--user", "shop:p:w") as server:
        answer = AskedApi(server.address["management_port"], "shop:p:w")("GET", "whoami")
        assert answer.body == {"name": "shop", "tags": ["administrator"], "is_internal_user": True}
        assert AskedApi(server.address["management_port"])("GET", "whoami").status == 401


def test_pages_from_elsewhere_may_not_ask(api: AskedApi) -> None:
    assert api("DELETE", "vhosts/%2F", origin="http://example.com").status == 403
    assert api("GET", "vhosts", host="example.com").status == 403
    assert api("GET", "vhosts/%2F").status == 200


# Lists ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(api: AskedApi, vhost: str) -> str:
    for number in range(7):
        api("PUT", f"queues/{vhost}/q{number}", {"durable": True, "arguments": {"x-max-length": 10 - number}})
    return vhost


@pytest.mark.parametrize(
    ("query", "names", "counts"),
    [
        ("page=1&page_size=3", ["q0", "q1", "q2"], (7, 7, 3, 3)),
        ("page=3&page_size=3", ["q6"], (7, 7, 1, 3)),
        ("page=1&name=Q3", ["q3"], (7, 1, 1, 1)),
        ("page=1&name=q[12]&use_regex=true", ["q1", "q2"], (7, 2, 2, 1)),
        ("page=1&name=(q%2B)%2B%24&use_regex=true", [], (7, 0, 0, 0)),
        ("page=1&page_size=2&sort=arguments.x-max-length", ["q6", "q5"], (7, 7, 2, 4)),
        ("page=1&page_size=2&sort=name&sort_reverse=true", ["q6", "q5"], (7, 7, 2, 4)),
    ],
)
def test_pages(api: AskedApi, many: str, query: str, names: list[str], counts: tuple[int, ...]) -> None:
    found = api("GET", f"queues/{many}?columns=name&{query}").body
    assert [item["name"] for item in found["items"]] == names
    assert all(list(item) == ["name"] for item in found["items"])
    assert (found["total_count"], found["filtered_count"], found["item_count"], found["page_count"]) == counts


def test_a_pattern_that_takes_for_ever_does_not(api: AskedApi, many: str) -> None:
    api("PUT", f"queues/{many}/" + "a" * 200, {"durable": True})
    began = time.monotonic()
    assert api("GET", f"queues/{many}?page=1&use_regex=true&name=(a%2B)%2B%24").status == 200
    assert api("GET", f"queues/{many}?page=1&use_regex=true&name=(a%7Caa)%2Bb").status == 200
    assert time.monotonic() - began < SOON_S


def test_columns(api: AskedApi, many: str) -> None:
    path = f"queues/{many}/q1?columns="
    assert api("GET", f"{path}name,arguments.x-max-length,nothing").body == {"name": "q1", "arguments": {"x-max-length": 9}}
    assert api("GET", f"{path}nothing,message_stats.publish").body == {}
    assert len(api("GET", path).body) > 10


def test_what_version_has_what(served: Served) -> None:
    api, version = AskedApi(served.address["management_port"]), served.address["rabbitmq"]
    there = {
        path: api("GET", path).status == 200 for path in ("auth", "version", "queues/detailed", "health/checks/is-in-service")
    }
    new = version != "3.10"
    assert there == {
        "auth": version != "4.3", "version": new, "queues/detailed": new, "health/checks/is-in-service": version == "4.3",
    }  # fmt: skip
    api("PUT", "queues/%2F/q", {"durable": True})
    (queue,) = api("GET", "queues").body
    assert ("policy" in queue, queue["arguments"]) == ((False, {"x-queue-type": "classic"}) if new else (True, {}))
    api("DELETE", "queues/%2F/q")


# Messages ------------------------------------------------------------------------------------------------------------

PROPERTIES = {
    "headers": {"n": 1, "t": {"deep": [1, "x", {"y": True}]}}, "priority": 4, "delivery_mode": 2, "message_id": "m-1",
    "timestamp": 1_700_000_000, "content_type": "text/plain", "expiration": "60000", "reply_to": "somewhere",
}  # fmt: skip


def publish(api: AskedApi, vhost: str, key: str, payload: str, encoding: str = "string", **properties: Any) -> Any:
    body = {"routing_key": key, "payload": payload, "payload_encoding": encoding, "properties": properties}
    return api("POST", f"exchanges/{vhost}/amq.default/publish", body)


def get(api: AskedApi, vhost: str, queue: str, ackmode: str = "ack_requeue_false", **more: Any) -> Any:
    return api("POST", f"queues/{vhost}/{queue}/get", {"count": 1, "ackmode": ackmode, "encoding": "auto", **more}).body


def test_properties_come_back_as_they_were_sent(api: AskedApi, newest: Served, vhost: str) -> None:
    api("PUT", f"queues/{vhost}/q", {"durable": True})
    assert publish(api, vhost, "q", "hello", **PROPERTIES).body == {"routed": True}
    (found,) = get(api, vhost, "q", "ack_requeue_true")
    assert found["properties"] == PROPERTIES
    with client(newest, vhost) as connection:
        _, properties, body = connection.channel().basic_get("q", auto_ack=True)
        assert (body, plain(properties.headers), properties.timestamp) == (
            b"hello",
            PROPERTIES["headers"],
            PROPERTIES["timestamp"],
        )
        connection.channel().basic_publish("", "q", b"\xff", pika.BasicProperties(headers={"x": 2}))
    (found,) = get(api, vhost, "q")
    assert (found["payload"], found["payload_encoding"], found["properties"]) == ("/w==", "base64", {"headers": {"x": 2}})


@pytest.mark.parametrize(
    ("ackmode", "left", "redelivered"),
    [
        ("ack_requeue_true", 2, True),
        ("reject_requeue_true", 2, True),
        ("ack_requeue_false", 0, None),
        ("reject_requeue_false", 0, None),
    ],
)
@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_how_messages_are_answered(
    api: AskedApi, vhost: str, kind: str, ackmode: str, left: int, redelivered: bool | None
) -> None:
    api(
        "PUT", f"queues/{vhost}/q", {"durable": True, "arguments": {"x-queue-type": kind, "x-dead-letter-exchange": "amq.fanout"}}
    )
    api("PUT", f"queues/{vhost}/dead", {"durable": True})
    api("POST", f"bindings/{vhost}/e/amq.fanout/q/dead", {})
    for payload in ("1", "2"):
        publish(api, vhost, "q", payload)
    found = get(api, vhost, "q", ackmode, count=5)
    assert [(item["payload"], item["message_count"], item["redelivered"]) for item in found] == [("1", 1, False), ("2", 0, False)]
    queues = {item["name"]: item["messages_ready"] for item in api("GET", f"queues/{vhost}").body}
    assert queues == {"q": left, "dead": 2 if ackmode == "reject_requeue_false" else 0}
    again = get(api, vhost, "q", count=5)
    assert [item["redelivered"] for item in again] == [redelivered] * left


def test_payloads_are_cut_and_encoded(api: AskedApi, vhost: str) -> None:
    api("PUT", f"queues/{vhost}/q", {"durable": True})
    for payload, encoding in (("\u00e4\u00f6", "string"), ("AAECAw==", "base64")):
        assert publish(api, vhost, "q", payload, encoding).body == {"routed": True}
    keys = ("payload", "payload_encoding", "payload_bytes")
    assert [tuple(item[key] for key in keys) for item in get(api, vhost, "q", "ack_requeue_true", count=2)] == [
        ("\u00e4\u00f6", "string", 4), ("\x00\x01\x02\x03", "string", 4),
    ]  # fmt: skip
    assert [tuple(item[key] for key in keys) for item in get(api, vhost, "q", "ack_requeue_true", count=2, truncate=3)] == [
        ("w6TD", "base64", 4), ("\x00\x01\x02", "string", 4),
    ]  # fmt: skip
    assert [item["payload"] for item in get(api, vhost, "q", count=2, encoding="base64")] == ["w6TDtg==", "AAECAw=="]


def test_a_full_queue_does_not_take_it(api: AskedApi, vhost: str) -> None:
    api("PUT", f"queues/{vhost}/q", {"durable": True, "arguments": {"x-max-length": 1, "x-overflow": "reject-publish"}})
    assert [publish(api, vhost, "q", "x").body for _ in range(2)] == [{"routed": True}, {"routed": False}]


def test_what_is_counted(api: AskedApi, newest: Served, vhost: str) -> None:
    with client(newest, vhost) as connection:
        channel = connection.channel()
        channel.queue_declare("q", durable=True)
        channel.basic_publish("", "q", b"1")
        channel.basic_publish("", "nowhere", b"1")
        channel.basic_get("q")
        second = connection.channel()
        second.tx_select()
        for done in (second.tx_commit, second.tx_rollback, second.tx_commit):
            second.basic_publish("", "q", b"2")
            done()
        queue = api("GET", f"queues/{vhost}/q").body
        whole = api("GET", f"vhosts/{vhost}").body["message_stats"]
        exchange = api("GET", f"exchanges/{vhost}/amq.default").body["message_stats"]
        channels = {item["number"]: item["message_stats"]["publish"] for item in api("GET", f"vhosts/{vhost}/channels").body}
    counted = {key: count for key, count in queue["message_stats"].items() if count}
    assert counted == {"publish": 3, "get": 1, "deliver_get": 1}
    assert (queue["messages"], queue["messages_ready"], queue["messages_unacknowledged"]) == (3, 2, 1)
    assert (queue["message_bytes"], queue["message_bytes_unacknowledged"]) == (3, 1)
    assert (whole["publish"], whole["drop_unroutable"]) == (4, 1)
    assert exchange == {"publish_in": 4, "publish_out": 3}
    assert channels == {1: 2, 2: 2}


# Definitions ---------------------------------------------------------------------------------------------------------


def test_definitions_come_out_as_they_went_in(served: Served) -> None:
    api = AskedApi(served.address["management_port"])
    api("PUT", "vhosts/shop", {"description": "a shop", "tags": "one,two"})
    for path, body in (
        ("exchanges/shop/x", {"type": "topic", "durable": True, "arguments": {"alternate-exchange": "y"}}),
        ("exchanges/shop/y", {"type": "fanout", "durable": True, "auto_delete": False}),
        ("queues/shop/q", {"durable": True, "arguments": {"x-max-length": 5, "x-dead-letter-exchange": "x"}}),
        ("queues/shop/qq", {"durable": True, "arguments": {"x-queue-type": "quorum"}}),
        ("queues/shop/s", {"durable": True, "arguments": {"x-queue-type": "stream", "x-max-age": "1D"}}),
        ("policies/shop/p", {"pattern": "^q", "definition": {"message-ttl": 5000}, "apply-to": "queues", "priority": 3}),
        ("operator-policies/shop/o", {"pattern": "^q", "definition": {"max-length": 9}, "apply-to": "queues"}),
        ("users/buyer", {"password": "secret", "tags": "management"}),
        ("permissions/shop/buyer", {"configure": "^$", "write": ".*", "read": "q"}),
    ):
        assert api("PUT", path, body).status == 201, path
    for kind, destination, body in (
        ("q", "q", {"routing_key": "a.#"}),
        ("q", "qq", {"routing_key": "b", "arguments": {"n": 1, "s": "x"}}),
        ("e", "y", {}),
    ):
        assert api("POST", f"bindings/shop/e/x/{kind}/{destination}", body).status == 201
    whole, one = (api("GET", path).body for path in ("definitions", "definitions/shop"))
    for path in ("vhosts/shop", "users/buyer"):
        assert api("DELETE", path).status == 204
    if served.address["rabbitmq"] == "3.10":
        whole["vhosts"] = [{**item, "description": "a shop"} if item["name"] == "shop" else item for item in whole["vhosts"]]
    assert api("POST", "definitions", whole).status == 204
    found = api("GET", "definitions").body
    for each in (found, whole):
        each.pop("vhosts")
        for section in each.values():
            if isinstance(section, list):
                section.sort(key=json.dumps)
    assert found == whole
    assert AskedApi(served.address["management_port"], "buyer:secret")("GET", "whoami").body["tags"] == ["management"]
    api("PUT", "vhosts/copy", {})
    assert api("POST", "definitions/copy", one).status == 204
    copy = api("GET", "definitions/copy").body
    for section in ("exchanges", "queues", "bindings"):
        assert sorted(copy[section], key=json.dumps) == sorted(one[section], key=json.dumps), section
    assert [item["name"] for item in copy["policies"]] == ["p"]
    for path in ("vhosts/shop", "vhosts/copy", "users/buyer"):
        api("DELETE", path)


def test_routesim_reads_it_as_a_broker(newest: Served, api: AskedApi, vhost: str) -> None:
    address = amqp_address(f"amqp://guest:guest@127.0.0.1:{newest.port}")
    management = Management(web_address(f"http://127.0.0.1:{newest.address['management_port']}", address))
    management.create_vhost("theirs", "quorum")
    assert "theirs" in management.vhosts()
    assert not management.in_use("theirs")
    management.set_policy("theirs", Policy("p", "^q", {"max-length": 5}, "queues"))
    management.set_policy("theirs", Policy("o", "^q", {"max-length": 7}, "queues", operator=True))
    with pytest.raises(ManagementError, match="not recognised policy settings"):
        management.set_policy("theirs", Policy("p", "^q", {"nonsense": 5}, "queues"))
    assert {item["name"] for item in management.definitions("theirs")["policies"]} == {"p"}
    assert "topic" in management.exchange_types()
    api("PUT", "queues/theirs/q", {"durable": True})
    connection = client(newest, "theirs")
    assert management.in_use("theirs")
    done = routesim("import", "--management", api.base.replace("//", "//guest:guest@"), "--vhost", "theirs")
    assert (done.status, "q: {type: quorum}" in done.out) == (0, True), done
    management.delete_policy("theirs", "o", operator=True)
    management.delete_vhost("theirs")
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as told:
        connection.sleep(5)
    assert (told.value.reply_code, told.value.reply_text) == (320, "CONNECTION_FORCED - vhost 'theirs' is deleted")
    management.delete_vhost("theirs")


def test_what_happens_in_a_new_virtual_host_is_shown() -> None:
    with serving("--rabbitmq", "4.0", format="ndjson") as server:
        api = AskedApi(server.address["management_port"])
        api("PUT", "vhosts/new", {})
        api("PUT", "queues/new/q", {"durable": True})
        publish(api, "new", "q", "x", message_id="order-1")
        api("PUT", "vhosts/gone", {})
        api("DELETE", "vhosts/gone")
    events = [json.loads(line) for line in server.lines]
    assert [item["message"] for item in events if item["event"] == "enqueued"] == ["order-1"]
    vhosts: Any = server.summary["vhosts"]
    assert vhosts["new"]["queues"] == {"q": {"type": "classic", "ready": 1, "unacked": 0}}
    assert set(vhosts) == {"/", "new"}


@pytest.mark.parametrize("format", ["plain", "json"])
def test_every_format_ends_with_a_new_virtual_host(format: str) -> None:
    with serving("--rabbitmq", "4.0", format=format) as server:
        port = server.address["management_port"] if format == "json" else _said_port(server)
        assert AskedApi(port)("PUT", "vhosts/new", {}).status == 201
    assert server.status == 0


def _said_port(server: Served) -> int:
    assert server.process.stdout is not None
    line = server.process.stdout.readline().decode()
    return int(line.split("http://127.0.0.1:")[1].split("/")[0])


# Connections ---------------------------------------------------------------------------------------------------------


def test_who_consumes_is_told(api: AskedApi, newest: Served, vhost: str) -> None:
    with client(newest, vhost) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=3)
        channel.queue_declare("q", durable=True, arguments={"x-single-active-consumer": True})
        for tag in ("first", "second"):
            channel.basic_consume("q", lambda *_: None, consumer_tag=tag)
        (found,) = api("GET", f"vhosts/{vhost}/connections").body
        assert (found["user_provided_name"], found["channels"], found["client_properties"]["connection_name"]) == (
            "app",
            1,
            "app",
        )
        details = api("GET", f"queues/{vhost}/q").body["consumer_details"]
        assert [(item["consumer_tag"], item["active"], item["activity_status"]) for item in details] == [
            ("first", True, "single_active"), ("second", False, "waiting"),
        ]  # fmt: skip
        assert details[0]["channel_details"]["connection_name"] == found["name"]
        assert details == api("GET", f"consumers/{vhost}").body
        (shown,) = api("GET", f"connections/{part(found['name'])}/channels").body
        assert (shown["consumer_count"], shown["prefetch_count"]) == (2, 3)
        assert api("GET", f"channels/{part(shown['name'])}").body["consumer_details"] == details
        assert api("DELETE", f"connections/{part(found['name'])}", x_reason="for a test").status == 204
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as told:
            connection.sleep(5)
        assert told.value.reply_text == "CONNECTION_FORCED - for a test"
    assert api("GET", f"vhosts/{vhost}/connections").body == []


PLAYED = """
rabbitmq: "4.0"
queues: {work: {}}
consumers: {worker: {queue: work, prefetch: 2}}
steps: [wait: 1d]
"""


def test_the_clients_of_a_scenario_are_connections_too(tmp_path: Path) -> None:
    file = tmp_path / "played.yaml"
    file.write_text(PLAYED)
    with serving("--play", str(file)) as server:
        api = AskedApi(server.address["management_port"])
        names = {item["user_provided_name"]: item for item in api("GET", "connections").body}
        assert names["worker"]["type"] == "direct"
        (consumer,) = api("GET", "consumers").body
        assert (consumer["consumer_tag"], consumer["channel_details"]["peer_host"]) == ("worker", "undefined")
        assert api("DELETE", f"connections/{part(names['worker']['name'])}").status == 204
        assert api("GET", "consumers").body == []


def test_nothing_is_counted_where_nobody_listens() -> None:
    with serving("--quiet") as server:
        api = AskedApi(server.address["management_port"])
        api("PUT", "queues/%2F/q", {"durable": True})
        publish(api, "%2F", "q", "x")
        queue = api("GET", "queues/%2F/q").body
        assert (queue["messages"], "message_stats" in queue) == (1, False)


def test_checks_of_ports_and_alarms(newest: Served, api: AskedApi) -> None:
    assert api("GET", f"health/checks/port-listener/{newest.port}").body == {"status": "ok", "port": newest.port}
    assert api("GET", "health/checks/protocol-listener/amqp091").status == 200
    token = {"x_routesim_token": newest.address["token"]}
    assert api("POST", "routesim/failures", {"failure": "blocked"}, **token).status == 200
    answer = api("GET", "health/checks/local-alarms")
    assert (answer.status, answer.body["status"], answer.body["alarms"][0]["resource"]) == (503, "failed", "memory")
    assert api("POST", "routesim/failures", {"failure": "blocked", "ends": True}, **token).status == 200
    assert api("GET", "health/checks/local-alarms").status == 200


# HTTP ----------------------------------------------------------------------------------------------------------------


def test_many_requests_come_over_one_connection(newest: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", newest.address["management_port"], timeout=SOON_S)
    for method, path, status in (
        ("GET", "/api/overview", 200), ("HEAD", "/api/overview", 200), ("HEAD", "/api/nothing", 404), ("GET", "/api/nothing", 404),
        ("PUT", "/api/queues/%2F", 405), ("OPTIONS", "/api/queues/%2F/x", 200), ("GET", "/api/overview/", 200), ("GET", "/api", 404),
        ("HEAD", "/api/queues/%FF", 400),
    ):  # fmt: skip
        connection.request(method, path, headers=ADMIN)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status, (method, path)
    connection.close()


def test_curl_sends_forms(newest: Served, api: AskedApi, vhost: str) -> None:
    """Whatever the type of the body is said to be, as curl says it."""
    answer = api("PUT", f"queues/{vhost}/q", b'{"durable": true}', content_type="application/x-www-form-urlencoded")
    assert answer.status == 201


@pytest.mark.parametrize("pattern", [r"^(?R)?a$", r"^\Ka"])
def test_a_pattern_that_only_pcre_understands_is_told_both_ways(api: AskedApi, vhost: str, pattern: str) -> None:
    policy = {"pattern": pattern, "definition": {"max-length": 1}, "apply-to": "queues", "priority": 0}
    for answer in (
        api("PUT", f"policies/{vhost}/p", policy),
        api("POST", f"definitions/{vhost}", {"policies": [{"name": "p", **policy}]}),
    ):
        assert answer.status == 400
        assert "only PCRE understands" in str(answer.body)
