"""Random client sessions, heard while `routesim serve` answers them, written, and run from the file alone: the same deliveries,
settlements, deaths, losses and queues, event for event.

ROUTESIM_RECORDINGS=300 tries so many, ROUTESIM_RECORDINGS_FROM=5000 begins with that seed.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from kits.amqp.sessions import DrawnSession
from kits.amqp.twins import Said, Twin, play_alone

from routesim.amqp.properties import Properties
from routesim.recording.document import document
from routesim.recording.naming import Naming
from routesim.recording.recorder import ClientRecorder
from routesim.recording.trials import left_in, story_of
from routesim.run.recording import record
from routesim.scenario import Scenario
from routesim.scenario.load import load_source
from routesim.scenario.yaml.source import Source
from routesim.serve.clocks import ManualClock
from routesim.serve.declared import broker_of, empty_scenario
from routesim.serve.failing import Order
from routesim.serve.server import Server
from routesim.serve.thread import ServerThread
from routesim.serve.users import GUEST, GUEST_USER
from routesim.versions import rules

SESSIONS = int(os.environ.get("ROUTESIM_RECORDINGS", "60"))
FIRST = int(os.environ.get("ROUTESIM_RECORDINGS_FROM", "1"))
AT_ONCE = 10
PORT = re.compile(r"client:\d+")
TOLD_APART = re.compile(r" \(\d+\)$")
OF_QUEUES = ("delete_queue", "expire", "full")
FAILURES = ("crash", "close", "close_channel", "unread", "cancel", "restart", "kill", *OF_QUEUES)
PAUSES_MS = (1, 2, 7, 28, 30, 95, 500, 999, 1000, 4000, 31 * 60_000)
VERSIONS = ("3.10", "4.0", "4.3")


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, ServerThread]]:
    made = {each: ServerThread(Server(rules(each), {}, {GUEST: GUEST_USER}, ManualClock())) for each in VERSIONS}
    yield made
    for server in made.values():
        server.close()


@pytest.mark.parametrize("first", range(FIRST, FIRST + SESSIONS, AT_ONCE))
def test_the_file_tells_the_same_story(servers: dict[str, ServerThread], first: int) -> None:
    for seed in range(first, min(first + AT_ONCE, FIRST + SESSIONS)):
        version = VERSIONS[seed % len(VERSIONS)]
        happened, left, naming, text = recorded(servers[version], empty_scenario(version, f"v{seed}"), seed)
        again, result = record(load_source(Source("recorded.yaml", text), ""))
        note = f"seed {seed}, RabbitMQ {version}\n{text}"
        assert called_the_same(story_of(again.events)) == called_the_same(story_of(happened), naming), note
        assert called_the_same(left_in(result.broker)) == called_the_same(left, naming), note
        assert result.ok, f"{[item for item in result.expectations if not item.ok]} {result.errors} {note}"


def called_the_same(found: Any, naming: Naming | None = None) -> Any:
    """Messages and consumers of one name are told apart in a file, and connections without a name have one there."""
    if isinstance(found, str):
        shown = found if naming is None else PORT.sub(lambda match: naming.connections.get(match[0], match[0]), found)
        return TOLD_APART.sub("", shown)
    if isinstance(found, dict):
        return {key: called_the_same(value, naming) for key, value in found.items()}
    return [called_the_same(item, naming) for item in found] if isinstance(found, list | tuple) else found


def recorded(server: ServerThread, given: Scenario, seed: int) -> tuple[list[Any], dict[str, Any], Naming, str]:
    """What happened, what is left in the queues, how it is called in the file, and the file."""
    happened: list[Any] = []

    def begin() -> ClientRecorder:
        vhost = server.server.add_vhost(given.vhost, broker_of(given))
        vhost.broker.listen = happened.append
        vhost.recorder = ClientRecorder(vhost.broker, bodies=seed % 2 == 0)
        return vhost.recorder

    def end() -> tuple[dict[str, Any], str]:
        vhost = server.server.vhosts[given.vhost]
        vhost.recorder = vhost.broker.listen = None
        found = left_in(vhost.broker), document(recorder, given)
        server.server.remove_vhost(given.vhost)
        return found

    recorder = server.do(begin)
    twin = Twin(server.port, given.vhost, 1)
    try:
        play_alone(Timed(seed, server, given.vhost), twin)
        left, text = server.do(end)
    finally:
        twin.end()
    return happened, left, recorder.naming, text


class Timed(DrawnSession):
    """A session in which time passes between what is said, queues know times, something fails, and something stays behind."""

    def __init__(self, seed: int, server: ServerThread, vhost: str) -> None:
        super().__init__(seed, steps=40)
        self.server = server
        self.vhost = vhost

    def said(self) -> Iterator[Said]:
        for said in super().said():
            if self.random.random() < 0.5:
                ms = self.random.choice(PAUSES_MS)
                self.server.do(lambda ms=ms: self.server.transport.advance_by(ms))
            if self.random.random() < 0.04:
                self._fail()
            yield said._replace(properties=self._expiring(said.properties))

    def _fail(self) -> None:
        failure = self.random.choice(FAILURES)
        target = None if failure in ("restart", "kill") else self.random.choice(self.queues) if failure in OF_QUEUES else "*"
        ends = failure in ("unread", "full") and self.random.random() < 0.5
        with contextlib.suppress(LookupError):
            self.server.do(lambda: self.server.server.fail(Order(failure, target, self.vhost, ends)))

    def _expiring(self, properties: Properties) -> Properties:
        return properties._replace(expiration="700") if self.random.random() < 0.1 else properties

    def _declare(self, connection: int, channel: int, name: str | None = None) -> Said:
        said = super()._declare(connection, channel, name)
        own, arguments = Random(f"times of {said.arguments['queue']}"), {}
        if own.random() < 0.4:
            arguments["x-message-ttl"] = own.choice((0, 30, 1000, 60_000))
        if own.random() < 0.2:
            arguments["x-expires"] = own.choice((500, 5000))
        return said._replace(arguments={**said.arguments, "arguments": {**said.arguments["arguments"], **arguments}})

    def _tidy(self) -> Iterator[Said]:
        yield from super()._tidy() if self.random.random() < 0.2 else ()
