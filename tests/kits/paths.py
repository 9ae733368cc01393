"""Where things are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "scenarios"
SCENARIO_FILES = sorted(SCENARIOS.glob("*.yaml"))  # without those of its folders, such as Celery's
IMPORTS = SCENARIOS / "imports"  # files of other programs
ALL_SCENARIO_FILES = sorted(path for path in SCENARIOS.rglob("*.yaml") if IMPORTS not in path.parents)
