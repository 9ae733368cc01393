"""The tests here speak the language of bench_broker.py."""

import pytest

pytest.register_assert_rewrite("bench_broker")
