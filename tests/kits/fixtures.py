"""The fixtures of what is shared by all tests: a real broker, a browser, a Redis. What they need is imported when it is asked for."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from kits.browser import Browser
    from routesim.run.on_rabbitmq.session import BrokerSession
    from routesim.scenario import Scenario


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


@pytest.fixture
def page(tmp_path: Path) -> "Callable[..., Path]":
    """Writes the HTML report of scenarios, and says where it is."""
    from kits.report import written

    def write(*scenarios: "Scenario") -> Path:
        path = tmp_path / "report.html"
        path.write_text(written("html", *scenarios), encoding="utf-8")
        return path

    return write


@pytest.fixture
def quiet_page(browser: "Browser") -> Iterator[None]:
    """Whatever a test does with such a page: nothing is said on the console, and nothing is asked for but the page."""
    yield
    assert browser.messages() == []
    assert [url for url in browser.requests() if not url.split("#")[0].endswith("/report.html")] == []


@pytest.fixture(scope="session")
def redis_port() -> Iterator[int]:
    """The port of a real Redis server of its own."""
    from kits.redis import server

    with server() as port:
        yield port
