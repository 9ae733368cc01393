"""The tests here speak the language of tests/broker/bench_broker.py."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "broker"))
pytest.register_assert_rewrite("bench_broker")
