"""The fixtures of what is shared by all tests: a real broker, a browser, a Redis. What they need is imported when it is asked for."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from kits.browser import Browser
    from routesim.run.on_rabbitmq.session import BrokerSession


@pytest.fixture(scope="session", params=["3.10", "4.0", "4.3"])
def session(request: pytest.FixtureRequest) -> "BrokerSession":
    """A real RabbitMQ of each version; where it is not there the test is skipped."""
    from kits.live import live_session

    return live_session(request.param)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    from kits.browser import Browser

    found = Browser()
    yield found
    found.quit()


@pytest.fixture(scope="session")
def redis_port() -> Iterator[int]:
    """The port of a real Redis server of its own."""
    from kits.redis import server

    with server() as port:
        yield port
