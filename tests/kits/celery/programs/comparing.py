"""A drawn program held against real workers on a real broker, of either kind."""

import gc
import json
import os
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from kits.celery.programs.drawing import Program, drawn, slower
from kits.celery.programs.real import NotStarted, Player, left_on_rabbitmq, left_on_redis
from kits.celery.programs.seen import Seen, seen
from kits.celery.programs.simulated import Simulated, imported, simulated, sketched
from routesim.rabbitmq.scratch import scratch_vhost
from routesim.run.on_rabbitmq.session import BrokerSession

APART_S = 0.2  # what happens closer together than this on a real clock is a race
LONGEST_S = 22.0
FACTORS = (1.0, 2.0, 4.0)


class Compared(NamedTuple):
    program: Program
    simulated: Simulated
    real: Seen


def programs(seed: int, count: int, *, redis: bool) -> list[Program]:
    """The first so many that a real clock can be held to."""
    found: list[Program] = []
    number = 0
    broker = {"broker": {"kind": "redis"}} if redis else {}
    while len(found) < count:
        program = drawn(seed, number, redis=redis)
        sketch = simulated(program, sketched(program, broker))
        if sketch.near_s >= APART_S and sketch.length_s <= LONGEST_S:
            found.append(program)
        number += 1
    return found


def compared(program: Program, session: BrokerSession | None, redis_url: str | None, celery: Path | None = None) -> Compared:
    """As soon as both agree; a program that differs is tried again more slowly, for a real worker's clock is the machine's.

    `celery`: where another Celery than the tests' own is installed.
    """
    for factor in FACTORS:
        try:
            found = _once(slower(program, factor), session, redis_url, celery)
        except NotStarted:
            if factor == FACTORS[-1]:
                raise
            continue
        if found.real == found.simulated.seen:
            break
    return found


def _once(program: Program, session: BrokerSession | None, redis_url: str | None, celery: Path | None) -> Compared:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "program.json").write_text(json.dumps({"settings": program.settings, "tasks": program.tasks}))
        where = {"PROGRAM": str(folder / "program.json"), "PROGRAM_BROKER": redis_url or "amqp://"}
        with patch.dict(os.environ, where | ({"PYTHONPATH": str(celery)} if celery else {})):
            return _in_this_environment(program, session, redis_url, folder)


def _in_this_environment(program: Program, session: BrokerSession | None, redis_url: str | None, folder: Path) -> Compared:
    there = simulated(program, imported(folder, session.profile if session else None))
    if session is None:
        assert redis_url is not None
        _flush(redis_url)
        return Compared(program, there, _played(program, redis_url, folder, there))
    with scratch_vhost(session.management) as vhost:
        user = f"{session.amqp.user}:{session.amqp.password}"
        url = f"amqp://{user}@{session.amqp.host}:{session.amqp.port}/{vhost}"
        return Compared(program, there, _played(program, url, folder, there))


def _played(program: Program, url: str, folder: Path, there: Simulated) -> Seen:
    player = Player(program, url, folder)
    with player.ready():
        moments = player.play(there.length_s)
    del player
    with warnings.catch_warnings():  # kombu leaves connections to the collector, which is not to be heard in other tests
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    left = left_on_redis(url) if url.startswith("redis") else left_on_rabbitmq(url)
    return seen(moments, left, concurrency=program.settings["worker_concurrency"])


def _flush(url: str) -> None:
    import redis

    with redis.Redis.from_url(url) as client:
        client.flushdb()
