"""A real client, pika, against `routesim serve`: what it declares, publishes and consumes, and what it is refused."""

from collections.abc import Iterator
from typing import Any

import pika
import pika.exceptions
import pytest
from kits.serving import Served, serving

from routesim.values import plain

PROPERTIES = pika.BasicProperties(
    content_type="text/plain", content_encoding="utf-8", headers={"a": 1, "b": [True, None, "x"], "c": {"d": -5}}, delivery_mode=2,
    priority=3, correlation_id="c", reply_to="r", expiration="60000", message_id="m1", timestamp=1_700_000_000, type="t",
    user_id="guest", app_id="app",
)  # fmt: skip


@pytest.fixture(scope="module", params=["3.10", "4.0", "4.3"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with serving("--rabbitmq", request.param) as server:
        yield server


@pytest.fixture
def channel(served: Served) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(served.url))
    yield connection.channel()
    if connection.is_open:
        connection.close()


def test_a_message_comes_back_as_it_was_sent(channel: Any) -> None:
    name = channel.queue_declare("", exclusive=True).method.queue
    assert name.startswith("amq.gen-")
    channel.basic_publish("", name, b"\x00\xffbody", PROPERTIES)
    method, properties, body = channel.basic_get(name)
    assert body == b"\x00\xffbody"
    assert (method.routing_key, method.redelivered, method.message_count) == (name, False, 0)
    assert properties == PROPERTIES


def test_counts_stand_in_the_answers(channel: Any) -> None:
    channel.queue_declare("counted", durable=True)
    for _ in range(3):
        channel.basic_publish("", "counted", b"x")
    assert channel.queue_declare("counted", passive=True).method.message_count == 3
    channel.basic_get("counted", auto_ack=True)
    assert channel.queue_purge("counted").method.message_count == 2
    assert channel.queue_delete("counted").method.message_count == 0


def test_an_empty_name_is_the_queue_last_declared(channel: Any) -> None:
    channel.queue_declare("last", exclusive=True)
    channel.queue_bind("", "amq.direct", routing_key="")
    channel.basic_publish("amq.direct", "last", b"x")
    assert channel.basic_get("")[2] == b"x"


def test_what_no_queue_takes_comes_back_before_its_confirm(channel: Any) -> None:
    channel.confirm_delivery()
    with pytest.raises(pika.exceptions.UnroutableError):
        channel.basic_publish("", "nowhere", b"x", mandatory=True)
    channel.basic_publish("", "nowhere", b"x")


def test_a_queue_that_is_full_says_no(channel: Any) -> None:
    channel.confirm_delivery()
    name = channel.queue_declare("", exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"}).method.queue
    channel.basic_publish("", name, b"1")
    with pytest.raises(pika.exceptions.NackError):
        channel.basic_publish("", name, b"2")


def test_rejected_messages_go_to_the_dead_letter_exchange(channel: Any) -> None:
    dead = channel.queue_declare("", exclusive=True).method.queue
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
    name = channel.queue_declare("", exclusive=True, arguments=arguments).method.queue
    channel.basic_publish("", name, b"x")
    channel.basic_reject(channel.basic_get(name)[0].delivery_tag, requeue=False)
    death = plain(channel.basic_get(dead)[1].headers)["x-death"][0]
    assert (death["queue"], death["reason"], death["count"]) == (name, "rejected", 1)


def test_a_consumer_gets_what_its_prefetch_allows(channel: Any) -> None:
    name = channel.queue_declare("", exclusive=True).method.queue
    for number in range(5):
        channel.basic_publish("", name, str(number).encode())
    channel.basic_qos(prefetch_count=2)
    got: list[bytes] = []
    channel.basic_consume(name, lambda *given: got.append(given[3]))
    channel.connection.process_data_events(0.2)
    assert got == [b"0", b"1"]
    channel.basic_ack(2, multiple=True)
    channel.connection.process_data_events(0.2)
    assert got == [b"0", b"1", b"2", b"3"]


def test_a_consumer_hears_that_its_queue_is_gone(channel: Any) -> None:
    name = channel.queue_declare("", exclusive=True).method.queue
    cancelled: list[str] = []
    channel.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
    tag = channel.basic_consume(name, lambda *given: None)
    channel.queue_delete(name)
    channel.connection.process_data_events(0.2)
    assert cancelled == [tag]


def test_direct_replies(channel: Any) -> None:
    server = channel.queue_declare("", exclusive=True).method.queue
    got: list[bytes] = []
    channel.basic_consume("amq.rabbitmq.reply-to", lambda *given: got.append(given[3]), auto_ack=True)
    channel.basic_publish("", server, b"?", pika.BasicProperties(reply_to="amq.rabbitmq.reply-to"))
    address = channel.basic_get(server, auto_ack=True)[1].reply_to
    assert address.startswith("amq.rabbitmq.reply-to.")
    channel.basic_publish("", address, b"!")
    channel.connection.process_data_events(0.2)
    assert got == [b"!"]


def test_a_transaction(channel: Any) -> None:
    name = channel.queue_declare("", exclusive=True).method.queue
    channel.tx_select()
    channel.basic_publish("", name, b"1")
    channel.tx_rollback()
    channel.basic_publish("", name, b"2")
    assert channel.queue_declare(name, passive=True).method.message_count == 0
    channel.tx_commit()
    assert channel.basic_get(name, auto_ack=True)[2] == b"2"


@pytest.mark.parametrize(
    ("ask", "code", "text"),
    [
        (lambda channel: channel.queue_declare("none", passive=True), 404, "NOT_FOUND - no queue 'none' in vhost '/'"),
        (lambda channel: channel.exchange_declare("none", passive=True), 404, "NOT_FOUND - no exchange 'none' in vhost '/'"),
        (lambda channel: channel.basic_get("none"), 404, "NOT_FOUND - no queue 'none' in vhost '/'"),
        (lambda channel: channel.basic_get(""), 404, "NOT_FOUND - no previously declared queue"),
        (
            lambda channel: (channel.basic_ack(7), channel.queue_declare("q")), 406, "PRECONDITION_FAILED - unknown delivery tag 7"
        ),
    ],
    ids=["queue", "exchange", "get", "last queue", "tag"],
)  # fmt: skip
def test_what_is_refused_closes_the_channel(channel: Any, ask: Any, code: int, text: str) -> None:
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
        ask(channel)
    assert (closed.value.reply_code, closed.value.reply_text) == (code, text)
    assert channel.connection.channel().is_open


def test_an_exclusive_queue_goes_with_its_connection(served: Served, channel: Any) -> None:
    other = pika.BlockingConnection(pika.URLParameters(served.url))
    theirs = other.channel()
    theirs.queue_declare("mine", exclusive=True)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
        channel.basic_get("mine")
    assert closed.value.reply_code == 405
    other.close()
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
        channel.connection.channel().queue_declare("mine", passive=True)
    assert closed.value.reply_code == 404


@pytest.mark.parametrize(
    ("user", "vhost", "problem"),
    [
        ("guest:wrong", "%2F", pika.exceptions.ProbableAuthenticationError),
        ("nobody:guest", "%2F", pika.exceptions.ProbableAuthenticationError),
        ("guest:guest", "nowhere", pika.exceptions.ProbableAccessDeniedError),
    ],
)
def test_who_may_not_come_in(served: Served, user: str, vhost: str, problem: type[Exception]) -> None:
    with pytest.raises((problem, pika.exceptions.ConnectionClosedByBroker)):
        pika.BlockingConnection(pika.URLParameters(f"amqp://{user}@127.0.0.1:{served.port}/{vhost}"))
