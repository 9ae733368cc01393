"""What a client may send and a scenario cannot say: the nearest that it can, and a file that runs."""

from typing import Any

import pytest

from routesim import steps
from routesim.amqp.fields import text_of
from routesim.model import Consumer, Message, Queue
from routesim.recording.document import document
from routesim.recording.recorder import ClientRecorder
from routesim.run.recording import record
from routesim.scenario.load import load_source
from routesim.scenario.yaml.source import Source
from routesim.serve.declared import broker_of, empty_scenario
from routesim.serve.vhosts import Vhost
from routesim.values import Typed

LATIN = text_of(b"caf\xe9")
TEXTS = [LATIN, "null", "1", "2020-01-01", "yes", ":", "a: b", "#", "\x85\u2028\ud800", "’", " x ", "x" * 200]
SAID = [
    *((text, text) for text in TEXTS if text.isprintable()),
    (LATIN, "caf\\xe9"),
    (Typed("bytes", b"\xff"), Typed("bytes", b"\\xff")),
    (Typed("bytes", b"ok"), Typed("bytes", b"ok")),
    (float("inf"), "inf"),
    (1e300, 1e300),
    (1e-7, 1e-7),
    (2.0, 2.0),
    (Typed("float", 1.5), Typed("float", 1.5)),
    (Typed("decimal", (2, 125)), Typed("decimal", (2, 125))),
    (Typed("decimal", (2, -5)), -0.05),
    (Typed("timestamp", 2**64 - 1), Typed("timestamp", 2**63 - 1)),
    ({"long": 1}, {"long": 1}),
    ([None, True, {"a": [LATIN]}], [None, True, {"a": ["caf\\xe9"]}]),
]


def repeated(connection: str, queue: str, key: str, tag: str, header: Any) -> Any:
    """The broker after the file has been run, and the header of the message that its consumer holds."""
    given = empty_scenario("4.3", "/")
    vhost = Vhost("/", broker_of(given), 0)
    vhost.recorder = recorder = ClientRecorder(vhost.broker)
    channel = f"{connection}#1"
    properties: dict[str, Any] = {"message_id": key[:60], "type": key}
    for step in (
        steps.OpenChannel(channel, connection),
        steps.DeclareQueue(channel, Queue(queue)),
        steps.Publish(channel, Message("", queue, b"", {"h": header}, properties=properties), "x"),
        steps.Publish(channel, Message("", key, b""), "y"),
        steps.Consume(Consumer(f"{connection}/{tag}", queue, channel, tag=tag)),
    ):
        assert vhost.apply(step) is None
    text = document(recorder, given)
    _, result = record(load_source(Source("recorded.yaml", text), ""))
    assert result.ok, text
    (held,) = (
        item for channel in result.broker.channels.values() for item in channel.unacked.values() if item.copy.message == "x"
    )
    return held.copy.content.headers["h"]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_names_of_any_kind(text: str) -> None:
    assert repeated(text[:50], text, text, text, 1) == 1


@pytest.mark.parametrize(("sent", "said"), SAID, ids=ascii)
def test_values_of_any_kind(sent: Any, said: Any) -> None:
    found = repeated("app", "q", "k", "t", sent)
    assert (found, repr(found)) == (said, repr(said))
