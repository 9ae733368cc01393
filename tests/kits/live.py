"""The real broker that the live tests need: there, or the reason why they are skipped (an error where it is required)."""

import functools
import os

import pytest

from routesim.rabbitmq.problems import BrokerProblem
from routesim.rabbitmq.url import amqp_address, management_of
from routesim.run.session import BrokerSession

URL = "amqp://guest:guest@127.0.0.1:5672"


@functools.cache
def _found() -> "BrokerSession | str":
    address = amqp_address(URL)
    try:
        return BrokerSession(address, management_of(address))
    except BrokerProblem as problem:
        return str(problem)


def live_session() -> BrokerSession:
    found = _found()
    if isinstance(found, str):
        if os.environ.get("ROUTESIM_REQUIRE_BROKER"):
            pytest.fail(f"a broker is required: {found}")
        pytest.skip(found)
    return found
