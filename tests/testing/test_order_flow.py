"""An order of a shop with a real Celery worker: its connection is lost, a day passes, nothing is lost and nothing happens twice."""

from pathlib import Path
from typing import Any

import pytest
from kits.celery.order_flow import flow


@pytest.mark.routesim(rabbitmq="4.1", may_lose=False)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # kombu leaves sockets to the garbage collector
def test_an_order_is_charged_once_and_reminded_of_a_day_later(routesim_broker: Any, tmp_path: Path) -> None:
    flow(routesim_broker, tmp_path)
    assert "REDELIVERED" in routesim_broker.trace()
