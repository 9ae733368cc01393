"""What `routesim record` does once its command line is understood."""

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING

from routesim.cli.recorders.target import check_target, write_recording
from routesim.cli.shared.exits import OK, UsageError
from routesim.cli.shared.output import stderr_line
from routesim.durations import parse_duration
from routesim.named_tuples import NamedTuple

if TYPE_CHECKING:
    from routesim.rabbitmq.firehose import Firehose
    from routesim.rabbitmq.http.management import Management
    from routesim.rabbitmq.traced import ConsumerThere, TracedEvent
    from routesim.scenario.topology_data import DeclaredTopology

KNOWN_S = 6.0
LOOK_AGAIN_S = 1.0  # for consumers that were not there before


class RecordedBroker(NamedTuple):
    """What is asked for: see the options of the command."""

    path: str
    broker: str
    management: str | None
    vhost: str
    duration: str | None
    publishes: int | None
    most: int
    bodies: bool
    redact: tuple[str, ...]
    force: bool


def record_broker(asked: RecordedBroker) -> int:
    """The exit status. Raises `UsageError`."""
    from routesim.cli.handlers.running_on_broker import with_broker

    check_target(asked.path, asked.redact, force=asked.force)
    duration_ms = None if asked.duration is None else parse_duration(asked.duration)
    if asked.duration is not None and (not duration_ms or asked.duration.isdigit()):
        raise UsageError(f"--for takes a duration such as 30s or 10m, not '{asked.duration}'")
    return with_broker(lambda: _record(asked, duration_ms))


def _record(asked: RecordedBroker, duration_ms: int | None) -> int:
    from routesim.rabbitmq.firehose import Firehose, check_tracing, owned_queues
    from routesim.rabbitmq.http.finding import management_beside
    from routesim.rabbitmq.http.management import Management
    from routesim.rabbitmq.url import BadAddress, amqp_address, web_address
    from routesim.recording.inferring import Inferred
    from routesim.recording.redacting import Redaction
    from routesim.recording.traced_document import TracedOptions, TracedRecording, traced_document

    try:
        amqp = amqp_address(asked.broker)
        management = Management(web_address(asked.management, amqp) if asked.management else management_beside(amqp))
    except BadAddress as problem:
        raise UsageError(str(problem)) from None
    check_tracing(management, asked.vhost)
    topology = _topology(management, asked.vhost)
    queues, bindings = owned_queues(management, asked.vhost)
    topology = topology._replace(queues=(*topology.queues, *queues), bindings=(*topology.bindings, *bindings))
    firehose = Firehose(amqp, asked.vhost, asked.most)
    heard = _Heard(management, asked.vhost, firehose.queue)
    heard.look()
    stderr_line(f"recording vhost {asked.vhost} of {amqp}; Ctrl-C ends it, and writes {asked.path}")
    try:
        heard.listen(firehose, duration_ms, asked.publishes)
    finally:
        firehose.close()
    found = Inferred(heard.clients, heard.consumers.values())
    for event in heard.events:
        found.hear(event)
    where = f"RabbitMQ {topology.rabbitmq} at {amqp}, vhost {asked.vhost}"
    trace = TracedRecording(where, topology, found, heard.lasted_ms, firehose.missed, tuple(queue.name for queue in queues))
    write_recording(asked.path, traced_document(trace, TracedOptions(asked.bodies, Redaction(asked.redact))))
    stderr_line(f"note: tracing is still on: `rabbitmqctl trace_off -p {asked.vhost}` switches it off")
    return OK


def _topology(management: "Management", vhost: str) -> "DeclaredTopology":
    """What is declared there. Raises `BrokerProblem`, `UsageError`."""
    from routesim.diagnostics import Invalid
    from routesim.rabbitmq.http.features import permitted_features, to_permit
    from routesim.scenario.definitions.importing import imported
    from routesim.scenario.definitions.reading import closest_version
    from routesim.scenario.yaml.source import Source

    document = management.definitions(vhost)
    profile = closest_version(str(document.get("rabbitmq_version") or document.get("rabbit_version", "")))[0]
    permit = to_permit(permitted_features(management, profile), profile)
    source = Source(str(management.address), json.dumps(document, indent=1))
    try:
        return imported(source, vhost, rabbitmq=profile, permit=permit).topology
    except Invalid as invalid:
        raise UsageError(f"what is declared there cannot be simulated: {invalid.diagnostics[0].message}") from None


class _Heard:
    """What came while somebody listened, and who was there then."""

    def __init__(self, management: "Management", vhost: str, own_queue: str) -> None:
        self.management = management
        self.own_queue = own_queue
        self.vhost = vhost
        self.events: list[TracedEvent] = []
        self.clients: dict[str, str] = {}
        self.consumers: dict[tuple[str, int, str], ConsumerThere] = {}
        self.over = threading.Event()
        self.lasted_ms = 0

    def look(self) -> None:
        """Who is there now. Raises `BrokerProblem`."""
        from routesim.rabbitmq.firehose import consumers_of, names_of_clients

        self.clients |= names_of_clients(self.management, self.vhost)
        self.consumers |= {item[1:4]: item for item in consumers_of(self.management, self.vhost) if item.queue != self.own_queue}

    def _look_on(self) -> None:
        """Beside the listening, which is not to wait for it."""
        from routesim.rabbitmq.problems import BrokerProblem

        with contextlib.suppress(BrokerProblem):  # the last look says what is wrong
            while not self.over.wait(LOOK_AGAIN_S):
                self.look()

    def listen(self, firehose: "Firehose", duration_ms: int | None, count: int | None) -> None:
        from routesim.rabbitmq.scratch import Terminated

        began_s, published = time.monotonic(), 0
        looking = threading.Thread(target=self._look_on, daemon=True)
        looking.start()
        try:
            for events in firehose.events():
                self.lasted_ms = int((time.monotonic() - began_s) * 1000)
                self.events += events
                published += sum(event.queue is None for event in events)
                if (duration_ms is not None and self.lasted_ms >= duration_ms) or (count is not None and published >= count):
                    break
        except (KeyboardInterrupt, Terminated):
            self.lasted_ms = int((time.monotonic() - began_s) * 1000)
        self.over.set()
        looking.join()
        self._look_until_known()

    def _look_until_known(self) -> None:
        """The management API knows of a consumer a moment after the broker does."""
        wanted = {(event.client, event.channel, event.queue) for event in self.events if event.queue is not None}
        end_s = time.monotonic() + KNOWN_S
        while True:
            self.look()
            known = {(item.client, item.channel, item.queue) for item in self.consumers.values()}
            if wanted <= known or time.monotonic() > end_s:
                return
            time.sleep(LOOK_AGAIN_S)
