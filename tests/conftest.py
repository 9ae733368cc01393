"""How many processes run the tests, and that the drawn examples are the same every time."""

import os

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("kits")
pytest_plugins = ["kits.fixtures"]

# Who starts the brokers wants the tests beside them; the processes that pytest-xdist starts inherit this.
if os.environ.get("ROUTESIM_START_BROKERS"):
    os.environ["ROUTESIM_REQUIRE_BROKER"] = "1"

# ROUTESIM_DRAW=1 looks for new examples; without it a change, and not luck, decides whether the tests pass.
settings.register_profile("same", derandomize=True, database=None, deadline=None)
if os.environ.get("ROUTESIM_DRAW") != "1":
    settings.load_profile("same")


def pytest_sessionstart(session: pytest.Session) -> None:
    """The brokers of the live tests, once for all processes, where they are to be started."""
    if os.environ.get("ROUTESIM_START_BROKERS") and not hasattr(session.config, "workerinput"):
        from kits.live import start

        start()


def pytest_xdist_auto_num_workers() -> int:
    """More than there are processors: the tests beside real brokers and terminals mostly wait."""
    return (os.cpu_count() or 1) + 1
