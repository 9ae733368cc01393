import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "scenario"))

from redis_kit import server


@pytest.fixture(scope="session")
def redis_port() -> Iterator[int]:
    with server() as port:
        yield port
