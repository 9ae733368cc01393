"""The tests here speak the language of tests/scenario/scenario_kit.py, and may ask the broker of tests/rabbitmq."""

import sys
from pathlib import Path

import pytest

for folder in ("scenario", "rabbitmq"):
    sys.path.insert(0, str(Path(__file__).parent.parent / folder))
pytest.register_assert_rewrite("scenario_kit")

from live_kit import live_session  # noqa: E402

from routesim.run.session import Session  # noqa: E402


@pytest.fixture(scope="session")
def session() -> Session:
    return live_session()
