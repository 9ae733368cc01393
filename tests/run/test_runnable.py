"""`--speed` against a real broker: exact or refused, before anything is sent."""

import pytest

from routesim.rabbitmq.problems import NotOnARealBroker
from routesim.run.on_rabbitmq.runnable import check_speed
from routesim.scenario import load

HEAD = "queues: {q: }\n"
REFUSED = {
    "queues: {q: {arguments: {x-message-ttl: 15}}}": "x-message-ttl of q is 15 ms, which 10 does not divide",
    "queues: {q: {arguments: {x-expires: 15}}}": "x-expires of q is 15 ms, which 10 does not divide",
    "queues: {q: {type: quorum, arguments: {x-expires: 100}}}": "a quorum queue looks at x-expires every 5 s",
    "queues: {q: {type: quorum, arguments: {x-consumer-timeout: 100}}}": "x-consumer-timeout of q does not scale",
    "queues: {q: {type: quorum, arguments: {x-delayed-retry-min: 100}}}": "x-delayed-retry-min of q does not scale",
    "queues: {q: {type: stream, arguments: {x-max-age: 1h}}}": "x-max-age of q does not scale",
    HEAD
    + "policies: [{name: p, pattern: q, definition: {message-ttl: 15}}]": "message-ttl of p is 15 ms, which 10 does not divide",
    HEAD + "policies: [{name: p, pattern: q, definition: {consumer-timeout: 100}}]": "consumer-timeout of p does not scale",
    HEAD + "policies: [{name: p, pattern: q, definition: {max-age: 1h}}]": "max-age of p does not scale",
    HEAD + "steps: [wait: 15ms]": "a wait is 15 ms, which 10 does not divide",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_exact(text: str) -> None:
    with pytest.raises(NotOnARealBroker) as refused:
        check_speed(load("-", text.encode()), 10)
    assert str(refused.value) == f"--speed 10 cannot be exact: {REFUSED[text]}"
    check_speed(load("-", text.encode()), 1)


def test_what_can_be_divided() -> None:
    scaled = "queues: {q: {arguments: {x-message-ttl: 20, x-expires: 100, x-max-length: 3}}}\nsteps: [wait: 30ms]"
    check_speed(load("-", scaled.encode()), 10)
