"""A Celery app as a client of a test: its connections are closed with it, which Celery leaves to the garbage collector."""

import contextlib
import gc
import warnings
from typing import Any

from kombu import pools


def closed(app: Any) -> None:
    """All that the app has opened in this process is closed, and nothing is left for the collector to warn of elsewhere."""
    consumer = getattr(app.backend, "result_consumer", None)
    if consumer is not None and getattr(consumer, "_connection", None) is not None:
        with contextlib.suppress(Exception):  # its server may be gone
            consumer.stop()
    with contextlib.suppress(Exception):
        app.pool.force_close_all()
    with contextlib.suppress(Exception):
        pools.reset()
    app.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
