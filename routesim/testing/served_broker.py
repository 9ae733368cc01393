"""A RabbitMQ of any version in this process, for tests of code that talks AMQP."""

import os
import secrets
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import quote

from routesim.durations import parse_duration
from routesim.named_tuples import NamedTuple
from routesim.narration import sentence_of
from routesim.recording.recorder import ClientRecorder
from routesim.report.answers.known_message import lines_of
from routesim.report.trace.trace import Trace
from routesim.run.playing import Player
from routesim.scenario import Scenario
from routesim.scenario.load import load_placed
from routesim.serve.clocks import ManualClock, WallClock
from routesim.serve.declared import broker_of, empty_scenario
from routesim.serve.failing import Order
from routesim.serve.server import Server
from routesim.serve.thread import ServerThread
from routesim.serve.transport import reserved
from routesim.serve.users import GUEST, GUEST_USER
from routesim.testing.api import Path
from routesim.text import visible
from routesim.versions import NEWEST, rules

KEPT_EVENTS = 2_000  # of a test's trace: the last ones
CLOCKS = {"real": WallClock, "manual": ManualClock}


class LostMessage(NamedTuple):
    """A message that was lost. `why`: as a sentence."""

    message: str
    at_ms: int
    why: str


class QueueNow(NamedTuple):
    """How many messages of a queue wait, how many are out, and who consumes."""

    ready: int
    unacked: int
    consumers: int


class TakenSnapshot(NamedTuple):
    """How a broker was."""

    broker: "ServedBroker"
    name: str

    def restore(self) -> None:
        """See `ServedBroker.restore`."""
        self.broker.restore(self.name)


class ServedBroker:
    """A virtual host of a server on this machine: `url` is where clients connect to.

    Its time passes as the wall's, and faster where `advance` says so (`clock="manual"`: only then). What it holds is as in
    RabbitMQ at every moment: `queues`, `lost`, `why`, `trace`.
    """

    def __init__(self, server: ServerThread, name: str, given: Scenario, *, play: bool = False) -> None:
        self._server = server
        self._heard: deque[Any] = deque(maxlen=KEPT_EVENTS)
        self._forgotten = 0
        self._player: Player | None = None
        self._given = given
        self._recorder: ClientRecorder | None = None
        self._recorded = ""
        self.vhost = name
        self.url = f"amqp://{GUEST}:{GUEST}@127.0.0.1:{server.port}/{quote(name, safe='')}"
        server.do(lambda: self._begin(given, play=play))

    def _begin(self, given: Scenario, *, play: bool) -> None:
        server = self._server.server
        self._vhost = server.add_vhost(self.vhost, broker_of(given))
        self._began_ms = self._vhost.broker.now
        self._vhost.broker.listen = self._hear
        if play:
            player = self._player = Player(given, self._vhost.broker, self._vhost.dispatch, self._hear)
            server.play(self.vhost, player, player.connections)

    def _hear(self, event: Any) -> None:
        self._vhost.history.hear(event)
        heard = self._heard
        if len(heard) == KEPT_EVENTS:
            self._forgotten += 1
        heard.append(event)

    def _do(self, act: Callable[[], Any]) -> Any:
        return self._server.do(act)

    # Time --------------------------------------------------------------------------------------------------------------

    def advance(self, time: str | timedelta) -> None:
        """Let so much time pass at once (`"250ms"`, `"5s"`, `"1d"`): what falls due meanwhile happens, in its order.

        Raises `ValueError` for what is no duration; a number alone is none, for nobody could tell its unit.
        """
        ms = _ms(time)
        self._do(lambda: self._server.transport.advance_by(ms))

    # HTTP ---------------------------------------------------------------------------------------------------------------

    @property
    def management_url(self) -> str:
        """The management API and routesim's own, which listen from when this is asked first:
        `http://127.0.0.1:PORT/?token=TOKEN`. The management API knows guest/guest."""
        return management_of(self._server)

    # Failures and what was before --------------------------------------------------------------------------------------

    def fail(self, failure: str, target: str | None = None, *, ends: bool = False, **options: str | int | timedelta) -> list[str]:
        """Let something go wrong, by its name in the table of failures (`routesim docs failures`): `fail("crash", "worker",
        after=3)`, `fail("kill")`, `fail("full", "orders")`. `target`: the connection, channel, consumer or queue that it
        befalls, `"*"` for all; `ends`: what lasts is over. The names of what was befallen.

        Raises `LookupError` where nothing is called so, `ValueError` for a failure or option that there is not.
        """
        given = {name: _ms(value) if name == "by" else value for name, value in options.items()}
        return list(self._do(lambda: self._server.server.fail(Order(failure, target, self.vhost, ends, given))))

    def snapshot(self, name: str = "snapshot") -> "TakenSnapshot":
        """How all is now, to be had again: `start = broker.snapshot()`, later `start.restore()`."""
        self._do(lambda: self._server.server.snapshot(self._vhost, name))
        return TakenSnapshot(self, name)

    def restore(self, name: str = "snapshot") -> None:
        """All is as it was when the snapshot was taken, and time goes on from there; the clients lose their connections, as
        by a restart. What they held then is in its queue again.

        Raises `LookupError` where there is no such snapshot, `ValueError` where a scenario is played.
        """
        self._do(lambda: self._server.server.set_back(self._vhost, name))

    # What is there ------------------------------------------------------------------------------------------------------

    @property
    def queues(self) -> dict[str, QueueNow]:
        """Every queue, by its name."""
        return dict(self._do(self._queues))

    def _queues(self) -> Mapping[str, QueueNow]:
        return {
            queue.broker_name: QueueNow(queue.ready_count(), queue.unacked, len(queue.subscriptions))
            for queue in self._vhost.broker.queues.values()
        }

    @property
    def lost(self) -> list[LostMessage]:
        """The messages that were lost, in that order; a message can be lost in several queues."""
        return [
            LostMessage(event.message, event.at_ms - self._began_ms, sentence_of(event) or "")
            for event in self._do(lambda: list(self._vhost.history.losses))
        ]

    def why(self, message: str) -> str:
        """What became of a message, called by its message_id or by connection and number (`app/3`), as lines of text. Raises
        `LookupError` where none is known that is called so."""
        found = self._do(lambda: list(self._vhost.history.named(message)))
        if not found:
            forgotten = self._vhost.history.forgotten
            raise LookupError(f"no message '{message}' is known" + (f"; {forgotten} are forgotten" if forgotten else ""))
        return "\n".join(line for known in found for line in lines_of(known, colour=False))

    def trace(self) -> str:
        """What has happened, as `routesim run` shows it; of a long test the end."""
        out = StringIO()
        trace = Trace(out, None, colour=False, columns=None)
        trace.rows.in_steps = True
        for event in self._do(lambda: list(self._heard)):
            trace.listen(event._replace(at_ms=event.at_ms - self._began_ms))
        trace.end()
        before = f"… {self._forgotten} earlier events are not kept\n" if self._forgotten else ""
        return before + out.getvalue()

    def report(self) -> str:
        """For a test that failed: the trace, the queues, and what was lost."""
        queues = [
            f"  {visible(name)}: {now.ready} ready, {now.unacked} unacked, {now.consumers} consumers"
            for name, now in self.queues.items()
        ]
        lost = [visible(f"  {item.message}: {item.why}") for item in self.lost]
        parts = [self.trace().rstrip("\n"), *(["", "Queues", *queues] if queues else []), *(["", "Lost", *lost] if lost else [])]
        return "\n".join(parts)

    # What clients do ----------------------------------------------------------------------------------------------------

    def record(self, path: Path, *, bodies: bool = False, redact: Collection[str] = ()) -> None:
        """Note what clients do from now on, and write it to `path` when the broker is closed: a scenario that does it again
        without them. `bodies`, `redact`: as `routesim serve --record` has them. Raises `ValueError` once a client has been there,
        and where a scenario is played.
        """
        if self._player is not None:
            raise ValueError("what clients do is not recorded where a scenario is played")
        self._do(lambda: self._record(bodies, redact))
        self._recorded = os.fspath(path)

    def _record(self, bodies: bool, redact: Collection[str]) -> None:
        vhost = self._vhost
        if vhost.broker.channel_number > broker_of(self._given).channel_number:
            raise ValueError("a recording begins before the first client opens a channel")
        self._recorder = vhost.recorder = ClientRecorder(vhost.broker, bodies=bodies, redact=redact)

    def _end_recording(self) -> None:
        self._vhost.recorder = None
        if self._recorder is not None:
            self._recorder.end()

    def close(self) -> None:
        """The virtual host goes with all that is in it; its clients are told. What was recorded is written."""
        if self.vhost not in self._server.server.vhosts:
            return
        self._do(self._end_recording)
        self._do(lambda: self._server.server.remove_vhost(self.vhost))
        if self._recorder is not None:
            from routesim.recording.document import document  # few tests ask for it

            with open(self._recorded, "w", encoding="utf-8") as stream:
                stream.write(document(self._recorder, self._given))


def _ms(time: str | int | timedelta) -> int:
    if isinstance(time, timedelta):
        return round(time.total_seconds() * 1000)
    ms = parse_duration(time) if isinstance(time, str) and not time.isdigit() else None
    if ms is None:
        raise ValueError(f"a duration is written '250ms', '5s', '2m', '1h' or '1d', not {time!r}")
    return ms


def server_of(version: str, clock: str = "real", *, history: int = 10_000) -> ServerThread:
    """A server without a virtual host. Raises `UnknownVersion`, `ValueError` for a clock that there is not."""
    if clock not in CLOCKS:
        raise ValueError(f"a clock is one of {', '.join(CLOCKS)}, not {clock!r}")
    return ServerThread(Server(rules(version), {}, {GUEST: GUEST_USER}, CLOCKS[clock](), history))


def management_of(server: ServerThread) -> str:
    """The address of what answers HTTP for a server, which begins to when this is asked first."""
    if server.beside is None:
        from routesim.control.control import Control

        place = reserved("127.0.0.1", 0)
        token = secrets.token_urlsafe(24)
        control = Control(server.server, server.transport.turn, ("127.0.0.1", place.port), token, follow=False)
        server.run(control.listen(place))
        server.beside, server.beside_url = control, f"http://127.0.0.1:{place.port}/?token={token}"
    return server.beside_url


def scenario_for(given: Scenario | Path | None, version: str | None) -> Scenario:
    """What is declared from the start: a scenario, a file, or nothing. Raises `Invalid`."""
    if isinstance(given, Scenario):
        return given
    if given is None:
        return empty_scenario(version or NEWEST, "/")
    return load_placed(os.fspath(given), None, rabbitmq=version)[0]


@contextmanager
def serving(
    given: Scenario | Path | None = None, *, rabbitmq: str | None = None, clock: str = "real", play: bool = False
) -> Iterator[ServedBroker]:
    """A RabbitMQ of that version (default: the scenario's, else the newest that is known), with what a scenario or definitions
    file declares, for as long as the block lasts: `with routesim.serving("shop.yaml") as broker: connect(broker.url)`.

    `play`: the file's consumers, workers and steps act too. Raises `Invalid` where the file cannot be used, `UnknownVersion`.
    """
    found = scenario_for(given, rabbitmq)
    server = server_of(rabbitmq or found.rabbitmq, clock)
    try:
        broker = ServedBroker(server, "/", found, play=play)
        yield broker
        broker.close()
    finally:
        server.close()
