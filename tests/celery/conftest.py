"""The tests here speak the language of tests/scenario/scenario_kit.py."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "scenario"))
pytest.register_assert_rewrite("scenario_kit")
