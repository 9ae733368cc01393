import pytest
from kits.live import live_session

from routesim.run.session import BrokerSession


@pytest.fixture(scope="session")
def session() -> BrokerSession:
    return live_session()
