"""How many processes run the tests."""

import os


def pytest_xdist_auto_num_workers() -> int:
    """More than there are processors: the tests beside real brokers and terminals mostly wait."""
    return (os.cpu_count() or 1) + 1
