"""What runs in the interpreter that has Celery: imports an app, and writes what is set there as JSON into a file.

These files need the standard library and Celery alone (routesim is not installed there); `asking` gives them to that interpreter
as text, in the order of `PARTS`, and calls `run` of the last one. They run on Python 3.7 and newer, and open no connection.
Arguments of `run`: the file to write to, the app as `celery -A` takes it, what to read, as JSON, the seconds after which to
print where it hangs.
"""

from pathlib import Path

PARTS = ("answering", "finding_modules", "plain_values", "finding_app", "app_queues", "app_routes", "app_tasks", "reading_app")
SHARED = PARTS[:3]  # what a program of another library needs as well


def files(parts: tuple[str, ...] = PARTS) -> list[Path]:
    """Where they are."""
    return [Path(__file__).with_name(f"{part}.py") for part in parts]
