"""The page that shows a served broker as it lives, in a real browser."""

import http.client
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pika
import pika.exceptions
import pytest
from kits.browser import Browser

import routesim
from routesim.testing.served_broker import ServedBroker

TOPOLOGY = """
rabbitmq: "4.0"
exchanges: {orders: {type: topic}, dead: {type: fanout}}
queues:
  billing: {arguments: {x-dead-letter-exchange: dead, x-message-ttl: 60000}}
  shipping: {arguments: {x-queue-type: quorum}}
  late: {}
bindings:
  - {source: orders, destination: billing, routing_key: "order.*.paid"}
  - {source: orders, destination: shipping, routing_key: "order.#"}
  - {source: dead, destination: late}
"""
LIMIT_S = 20
HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def broker(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ServedBroker]:
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY)
    with routesim.serving(file, clock=getattr(request, "param", "manual")) as served:
        yield served


def opened(browser: Browser, url: str, width: int = 1280) -> None:
    browser.command("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
    browser.driver.get("about:blank")  # the page before asks its server no more
    browser.messages()
    browser.requests()
    browser.driver.get(url)
    until(lambda: texts(browser, ".state") == ["live"])


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def texts(browser: Browser, selector: str) -> list[str]:
    """All at one moment: the page changes while it is looked at."""
    script = "return [...document.querySelectorAll(arguments[0])].map(found => found.innerText.replace(/\\s+/g, ' ').trim())"
    return list(browser.js(script, selector))


def connected(broker: ServedBroker, name: str = "app") -> Any:
    parameters = pika.URLParameters(broker.url)
    parameters.client_properties = {"connection_name": name}
    return pika.BlockingConnection(parameters)


def sent(broker: ServedBroker, *names: str, key: str = "order.1.paid") -> None:
    with connected(broker) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for name in names:
            channel.basic_publish("orders", key, b"x", pika.BasicProperties(message_id=name))


def held(browser: Browser) -> dict[str, str]:
    """What the drawing says of each queue and consumer."""
    script = """return Object.fromEntries([...document.querySelectorAll('.node')].map(
        node => [node.querySelector('.name').textContent, node.querySelector('.held')?.textContent ?? '']))"""
    return dict(browser.js(script))


def test_messages_appear_as_they_are_published(browser: Browser, broker: ServedBroker) -> None:
    opened(browser, broker.management_url)
    assert held(browser) == {
        "orders": "", "dead": "", "billing": "0 ready · 0 unacked", "shipping": "0 ready · 0 unacked", "late": "0 ready · 0 unacked"
    }  # fmt: skip
    sent(broker, "o-1", "o-2")
    until(lambda: held(browser)["billing"] == "2 ready · 0 unacked")
    assert texts(browser, ".trace .message-name").count("o-1") == 3  # published, and enqueued twice
    until(lambda: "published 2" in texts(browser, ".ledger tr"))
    assert len(browser.js("return [...document.querySelectorAll('.node .sign.ready')]")) == 4
    assert browser.messages() == []
    assert {urlsplit(url).netloc for url in browser.requests()} == {urlsplit(broker.management_url).netloc}


def test_time_passes_at_a_word(browser: Browser, broker: ServedBroker) -> None:
    sent(broker, "o-1")
    opened(browser, broker.management_url)
    assert texts(browser, ".clock small") == ["stands still until it is told"]
    browser.press("a")
    browser.press("1", "m", "\n")
    until(lambda: held(browser)["late"] == "1 ready · 0 unacked")
    assert texts(browser, ".now") == ["60.000 s"]
    browser.press("\ue00c", "a")
    browser.press("1", "\n")
    until(lambda: texts(browser, ".answer") == ["by: 1 has no unit: 1s or 1ms?"])


@pytest.mark.parametrize("broker", ["real"], indirect=True)
def test_the_clock_is_paused_and_goes_on(browser: Browser, broker: ServedBroker) -> None:
    opened(browser, broker.management_url)
    browser.click(".pause")
    until(lambda: texts(browser, ".pause") == ["Go on"])
    stood = texts(browser, ".now")
    time.sleep(0.3)
    assert texts(browser, ".now") == stood
    browser.click(".pause")
    until(lambda: texts(browser, ".pause") == ["Pause"] and texts(browser, ".now") != stood)


def test_a_connection_is_lost_by_a_click(browser: Browser, broker: ServedBroker) -> None:
    opened(browser, broker.management_url)
    until(lambda: texts(browser, ".connections") == ["nobody is connected"])
    connection = connected(broker, "worker")
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("shipping", lambda *_: None, consumer_tag="c1")
    sent(broker, "o-1")
    until(lambda: held(browser).get("worker/c1") == "holds o-1")
    until(lambda: texts(browser, ".connections span") == ["worker guest, 1 channel"])
    browser.click(".connections button")
    until(lambda: "worker/c1" not in held(browser))
    until(lambda: held(browser)["shipping"] == "1 ready · 0 unacked")
    assert "FAILURE" in texts(browser, ".trace b")
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        connection.process_data_events(1)
    until(lambda: texts(browser, ".connections") == ["nobody is connected"])


def test_a_message_says_what_became_of_it(browser: Browser, broker: ServedBroker) -> None:
    opened(browser, broker.management_url)
    sent(broker, "o-1", key="bill.1")
    until(lambda: "UNROUTABLE" in texts(browser, ".trace b"))
    browser.click(".trace .message-name")
    until(lambda: bool(texts(browser, ".why[open] pre")))
    assert "no binding of exchange 'orders' matched" in texts(browser, ".why[open] pre")[0]
    browser.press("\ue00c")  # Escape
    until(lambda: not texts(browser, ".why[open] pre"))


def test_what_is_declared_is_drawn(browser: Browser, broker: ServedBroker) -> None:
    opened(browser, broker.management_url)
    with connected(broker) as connection:
        channel = connection.channel()
        channel.queue_declare("fresh", durable=True)
        channel.queue_bind("fresh", "orders", "#")
        until(lambda: "fresh" in held(browser))
        channel.queue_delete("late")
        until(lambda: "late" not in held(browser))


def test_names_and_texts_are_text(browser: Browser, broker: ServedBroker) -> None:
    opened(browser, broker.management_url)
    with connected(broker, HOSTILE) as connection:
        channel = connection.channel()
        channel.queue_declare(HOSTILE, durable=True)
        channel.basic_publish("", HOSTILE, HOSTILE.encode(), pika.BasicProperties(message_id=HOSTILE))
        until(lambda: any("published" in text for text in texts(browser, ".trace b")))
        until(lambda: any("img" in name for name in held(browser)))
        assert browser.js("return document.querySelectorAll('img').length") == 0
        assert browser.messages() == []


def test_the_trace_is_filtered(browser: Browser, broker: ServedBroker) -> None:
    opened(browser, broker.management_url)
    sent(broker, "o-1", "o-2")
    until(lambda: texts(browser, ".trace .message-name").count("o-2") == 3)
    browser.press("/")
    browser.press("o", "-", "2")
    assert {text for text in texts(browser, ".trace li:not([hidden]) .message-name") if text} == {"o-2"}
    browser.press("\ue00c")
    assert "o-1" in texts(browser, ".trace li:not([hidden]) .message-name")


@pytest.mark.parametrize("width", [360, 700, 1600])
def test_nothing_is_wider_than_the_window(browser: Browser, broker: ServedBroker, width: int) -> None:
    opened(browser, broker.management_url, width)
    sent(broker, "a-message-with-quite-a-long-name-that-has-to-be-broken-somewhere")
    until(lambda: bool(texts(browser, ".trace .message-name")))
    until(lambda: bool(browser.js("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")))


def test_a_server_that_is_gone_is_told(browser: Browser) -> None:
    with routesim.serving() as broker:
        opened(browser, broker.management_url)
    until(lambda: texts(browser, ".state") == ["the server does not answer"])
    browser.messages()


def test_nobody_sees_it_without_the_token(broker: ServedBroker) -> None:
    address = urlsplit(broker.management_url)
    for path in ("/", "/?token=", "/?token=wrong", "/live", f"/live?vhost={quote('/')}"):
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=LIMIT_S)
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 401, path
        response.read()
        connection.close()


def test_a_drawing_that_comes_late_takes_nothing_back(browser: Browser, broker: ServedBroker) -> None:
    """What was told while it was under way is newer."""
    opened(browser, broker.management_url)
    browser.js(
        """const open = XMLHttpRequest.prototype.open;
        XMLHttpRequest.prototype.open = function (...given) { window.asked = this; return open.apply(this, given); };
        const set = Object.getOwnPropertyDescriptor(XMLHttpRequestEventTarget.prototype, 'onload').set;
        Object.defineProperty(XMLHttpRequest.prototype, 'onload', {
            set(act) { set.call(this, (event) => { window.late = () => act(event); }); } });"""
    )
    with connected(broker) as connection:
        connection.channel().queue_declare("fresh", durable=True)
        until(lambda: bool(browser.js("return Boolean(window.late)")))
        sent(broker, "o-1")
        until(lambda: held(browser)["billing"] == "1 ready · 0 unacked")
        browser.js("window.late()")
        assert "fresh" in held(browser)
        assert held(browser)["billing"] == "1 ready · 0 unacked"
