import pytest
from kits.live import live_session

from routesim.run.session import Session


@pytest.fixture(scope="session")
def session() -> Session:
    return live_session()
