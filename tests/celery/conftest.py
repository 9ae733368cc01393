import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "rabbitmq"))

from live_kit import live_session

from routesim.run.session import Session


@pytest.fixture(scope="session")
def session() -> Session:
    return live_session()
