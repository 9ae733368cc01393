"""What `routesim serve` prints: where it listens, the trace of real traffic as it comes, and what is left at the end."""

import json
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from routesim.broker import counts
from routesim.durations import duration_text
from routesim.events import EVENTS, LOST, is_lost
from routesim.named_tuples import NamedTuple
from routesim.narration import sentence_of
from routesim.report.style import OutputStyle
from routesim.report.trace.trace import Trace, painted_row
from routesim.report.trace.why_not import WhyNotNow
from routesim.serve.declared import empty_scenario
from routesim.serve.history import Known
from routesim.serve.server import Server
from routesim.serve.vhosts import Vhost
from routesim.text import encoding_of, fitted, visible

if TYPE_CHECKING:
    from routesim.run import Result
    from routesim.run.playing import Ending
    from routesim.scenario import Scenario

FORMATS = ("table", "plain", "json", "ndjson")
Listen = Callable[[Any], None]


class ServedAt(NamedTuple):
    """Where a server listens; `token`: what asks for a change needs."""

    scheme: str
    host: str
    port: int
    management_port: int | None
    token: str


class ServedReport:
    """`listener` hears the events of one virtual host; None: it wants none. A quiet one keeps no history."""

    def __init__(self, out: IO[str], style: OutputStyle) -> None:
        self.out, self.style = out, style

    def write(self, text: str, out: IO[str] | None = None) -> None:
        stream = out or self.out
        stream.write(fitted(text, encoding_of(stream)) + "\n")

    def listener(self, vhost: Vhost) -> Listen | None:
        raise NotImplementedError

    def listening(self, server: Server, address: ServedAt, out: IO[str]) -> None:
        """It accepts connections: said at once, on one line."""
        raise NotImplementedError

    def look(self, server: Server, scenarios: "dict[str, Scenario]", ends: "dict[str, Ending]") -> None:
        """How all is before the clients are sent away. `ends`: of the scenarios that were played, by virtual host."""
        raise NotImplementedError

    def finish(self, server: Server) -> None:
        """They are gone: what was seen then is said."""
        raise NotImplementedError

    def why(self, server: Server, text: str) -> None:
        """What became of the messages that are called so; that they are forgotten, or unknown."""
        raise NotImplementedError


def _address(server: Server, address: ServedAt) -> dict[str, Any]:
    shown = f"[{address.host}]" if ":" in address.host else address.host
    found: dict[str, Any] = {
        "url": f"{address.scheme}://{shown}:{address.port}", "host": address.host, "port": address.port,
        "rabbitmq": server.rules.version, "vhosts": list(server.vhosts),
    }  # fmt: skip
    if address.management_port is not None:
        found["management"] = f"http://{shown}:{address.management_port}"
        found |= {"management_port": address.management_port, "token": address.token}
    return found


class Lively(ServedReport):
    """For people."""

    def __init__(self, out: IO[str], style: OutputStyle) -> None:
        super().__init__(out, style)
        self.traces: list[Trace] = []
        self.summary: list[str] = []

    def listener(self, vhost: Vhost) -> Listen | None:
        trace = Trace(self.out, None, colour=self.style.colour, columns=self.style.columns)
        trace.rows.in_steps = True
        trace.why_not = WhyNotNow(lambda: vhost.broker)
        self.traces.append(trace)
        if self.style.quiet:
            return _only_lost(trace.listen)
        show, hear_history = trace.listen, vhost.history.hear

        def hear(event: Any) -> None:
            hear_history(event)
            show(event)

        return hear

    def listening(self, server: Server, address: ServedAt, out: IO[str]) -> None:
        found = _address(server, address)
        vhosts = ", ".join(visible(name) for name in server.vhosts)
        self.write(f"RabbitMQ {server.rules.version} at {found['url']} (vhost {vhosts}); Ctrl-C ends it", out)
        if "management" in found:
            self.write(f"live page and HTTP APIs at {found['management']}/?token={address.token}", out)
        out.flush()

    def look(self, server: Server, scenarios: "dict[str, Scenario]", ends: "dict[str, Ending]") -> None:
        from routesim.report.formats.plain import section_lines  # not before it ends: it is to start at once
        from routesim.report.summary.summary import sections

        lines, several = self.summary, len(server.vhosts) > 1
        for name, vhost in server.vhosts.items() if not self.style.quiet else ():
            if several:
                lines += ["", f"vhost {visible(name)}"]
            scenario = scenarios.get(name) or empty_scenario(server.rules.version, name)  # it was made later
            for section in sections(result_of(scenario, vhost, ends.get(name))):
                lines += ["", *section_lines(section, colour=self.style.colour)]
        if forgotten(server):
            lines += ["", f"{forgotten(server)} older messages are forgotten (--history keeps more)"]
        for name, end in ends.items():
            lines += ["", painted_row(_played(scenarios[name], end), bad=not end.ok, colour=self.style.colour)]
        lost = server.lost()
        text = f"served for {duration_text(server.clock.now_ms())}, rules of RabbitMQ {server.rules.version}; lost {lost}"
        lines += ["", painted_row(text, bad=lost > 0, colour=self.style.colour)]

    def finish(self, server: Server) -> None:
        for trace in self.traces:
            trace.end()
        for line in self.summary:
            self.write(line)

    def why(self, server: Server, text: str) -> None:
        from routesim.report.answers.known_message import lines_of

        for known in _known(server, text):
            for line in lines_of(known, colour=self.style.colour):
                self.write(line)
        if not _known(server, text):
            self.write(visible(f"{text}: {_unknown(server)}"))
        self.out.flush()


class Objects(ServedReport):
    """For programs: a line of JSON for the address, one for the end, and with ndjson one for each event."""

    def _lines(self) -> Listen | None:
        """What writes the events."""
        return None

    def listener(self, vhost: Vhost) -> Listen | None:
        lines = self._lines()
        if self.style.quiet:
            return _only_lost(lines) if lines is not None else None
        show, hear_history = lines, vhost.history.hear

        def hear(event: Any) -> None:
            hear_history(event)
            if show is not None:
                show(event)

        return hear

    def listening(self, server: Server, address: ServedAt, out: IO[str]) -> None:
        self.write(json.dumps({"event": "listening", **_address(server, address)}), out)
        out.flush()

    def look(self, server: Server, scenarios: "dict[str, Scenario]", ends: "dict[str, Ending]") -> None:
        from routesim.report.formats.json import checked_facts

        vhosts: dict[str, dict[str, Any]] = {
            name: {
                "counts": counts(vhost.broker),
                "queues": {
                    queue.broker_name: {"type": queue.kind, "ready": queue.ready_count(), "unacked": queue.unacked}
                    for queue in vhost.broker.queues.values()
                },
                "consumers": {
                    consumer: {"queue": vhost.history.consumed.queues[consumer], **answers._asdict()}
                    for consumer, answers in vhost.history.consumed.answers().items()
                },
            }
            for name, vhost in server.vhosts.items()
        }
        for name, played in ends.items():
            stopped = {} if played.stopped is None else {"stopped": played.stopped}
            vhosts[name]["played"] = {"ok": played.ok, **checked_facts(played.expectations, played.errors), **stopped}
        self.end = {
            "event": "served", "clock_ms": server.clock.now_ms(), "lost": server.lost(), "vhosts": vhosts,
            "forgotten": forgotten(server),
        }  # fmt: skip

    def finish(self, server: Server) -> None:
        self.write(json.dumps(self.end))

    def why(self, server: Server, text: str) -> None:
        found = [
            {
                "message": known.name, "states": known.states, "left_out": known.left_out,
                "story": [
                    {"at_ms": each.at_ms, "event": EVENTS[type(each)], "text": said}
                    for each in known.life if (said := sentence_of(each)) is not None
                ],
            }
            for known in _known(server, text)
        ]  # fmt: skip
        unknown = {} if found else {"text": _unknown(server)}
        self.write(json.dumps({"event": "why", "asked": text, "messages": found, **unknown}))
        self.out.flush()


class EventLines(Objects):
    def _lines(self) -> Listen:
        from routesim.report.formats.ndjson import Lines  # the others are to start at once

        return Lines(self.out.write)


REPORTS: dict[str, type[ServedReport]] = {"table": Lively, "plain": Lively, "json": Objects, "ndjson": EventLines}


def report_for(format: str, out: IO[str], style: OutputStyle) -> ServedReport:
    return REPORTS[format](out, style)


def _only_lost(listen: Listen) -> Listen:
    def hear(event: Any) -> None:
        if type(event) in LOST and is_lost(event):
            listen(event)

    return hear


def forgotten(server: Server) -> int:
    """How many messages of real clients are not known any more."""
    return sum(vhost.history.forgotten for vhost in server.vhosts.values())


def _known(server: Server, text: str) -> list[Known]:
    return [known for vhost in server.vhosts.values() for known in vhost.history.named(text)]


def _unknown(server: Server) -> str:
    """Why nothing is known of a message."""
    count = forgotten(server)
    return f"forgotten, as one of {count} that ended long ago (--history keeps more), or never there" if count else "never there"


def _played(scenario: "Scenario", end: "Ending") -> str:
    """What came of a scenario that acted beside the clients, in a line."""
    held = sum(item.ok for item in end.expectations)
    parts = [f"played {visible(scenario.file)}", f"expectations {held} of {len(end.expectations)}"]
    if end.left_at is not None:
        parts.append(f"at step {end.left_at + 1} of {len(scenario.steps)}")
    if any(not error.expected for error in end.errors):
        parts.append(f"errors {sum(not error.expected for error in end.errors)}")
    if end.stopped is not None:
        parts.append(f"its clients were stopped: {end.stopped}")
    return ", ".join(parts)


def result_of(scenario: "Scenario", vhost: Vhost, end: "Ending | None") -> "Result":
    """As if it had been a run, as far as its messages are known."""
    from routesim.run import Result
    from routesim.run.folds.records import Gets, Publishers
    from routesim.run.result import SERVED

    history, broker = vhost.history, vhost.broker
    expectations, errors = ([], []) if end is None else (end.expectations, end.errors)
    return Result(
        scenario, broker, SERVED, end is None or end.ok, broker.now, history.messages, history.consumed, Gets(), history.fates,
        Publishers(), expectations, errors, "", False, "idle", 0, list(broker.used.values()),
    )  # fmt: skip
