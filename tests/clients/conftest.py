"""The tests here speak the notation of tests/celery."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "celery"))
