from collections.abc import Iterator

import pytest
from kits.redis import server


@pytest.fixture(scope="session")
def redis_port() -> Iterator[int]:
    with server() as port:
        yield port
