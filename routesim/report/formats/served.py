"""What `routesim serve` prints: where it listens, the trace of real traffic as it comes, and what is left at the end."""

import json
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from routesim.broker import counts
from routesim.durations import duration_text
from routesim.events import LOST, is_lost
from routesim.report.formats.ndjson import Lines
from routesim.report.style import OutputStyle
from routesim.report.trace.trace import Trace, painted_row
from routesim.serve.history import History
from routesim.serve.server import Server
from routesim.text import encoding_of, fitted, visible

if TYPE_CHECKING:
    from routesim.run import Result
    from routesim.scenario import Scenario

FORMATS = ("table", "plain", "json", "ndjson")
Listen = Callable[[Any], None]


class ServedReport:
    """`listener` hears the events of one virtual host; None: it wants none. A quiet one keeps no history."""

    def __init__(self, out: IO[str], style: OutputStyle) -> None:
        self.out, self.style = out, style

    def write(self, text: str, out: IO[str] | None = None) -> None:
        stream = out or self.out
        stream.write(fitted(text, encoding_of(stream)) + "\n")

    def listener(self, history: History) -> Listen | None:
        raise NotImplementedError

    def listening(self, server: Server, scheme: str, host: str, port: int, out: IO[str]) -> None:
        """It accepts connections: said at once, on one line."""
        raise NotImplementedError

    def finish(self, server: Server, scenarios: "dict[str, Scenario]") -> None:
        raise NotImplementedError


def _address(server: Server, scheme: str, host: str, port: int) -> dict[str, Any]:
    shown = f"[{host}]" if ":" in host else host
    return {
        "url": f"{scheme}://{shown}:{port}", "host": host, "port": port, "rabbitmq": server.rules.version,
        "vhosts": list(server.vhosts),
    }  # fmt: skip


class Lively(ServedReport):
    """For people."""

    def __init__(self, out: IO[str], style: OutputStyle) -> None:
        super().__init__(out, style)
        self.traces: list[Trace] = []

    def listener(self, history: History) -> Listen | None:
        trace = Trace(self.out, None, colour=self.style.colour, columns=self.style.columns)
        trace.rows.in_steps = True
        self.traces.append(trace)
        if self.style.quiet:
            return _only_lost(trace.listen)
        show = trace.listen

        def hear(event: Any) -> None:
            history.hear(event)
            show(event)

        return hear

    def listening(self, server: Server, scheme: str, host: str, port: int, out: IO[str]) -> None:
        found = _address(server, scheme, host, port)
        vhosts = ", ".join(visible(name) for name in server.vhosts)
        self.write(f"RabbitMQ {server.rules.version} at {found['url']} (vhost {vhosts}); Ctrl-C ends it", out)
        out.flush()

    def finish(self, server: Server, scenarios: "dict[str, Scenario]") -> None:
        from routesim.report.formats.plain import section_lines  # not before it ends: it is to start at once
        from routesim.report.summary.summary import sections

        for trace in self.traces:
            trace.end()
        for name, vhost in server.vhosts.items():
            result = result_of(scenarios[name], vhost.broker, server.history)
            if len(server.vhosts) > 1:
                self.write(f"\nvhost {visible(name)}")
            if not self.style.quiet:
                for section in sections(result):
                    self.write("")
                    for line in section_lines(section, colour=self.style.colour):
                        self.write(line)
        if server.history.forgotten:
            self.write(f"\n{server.history.forgotten} older messages are forgotten (--history keeps more)")
        lost = server.lost()
        text = f"served for {duration_text(server.clock.now_ms())}, rules of RabbitMQ {server.rules.version}; lost {lost}"
        self.write("\n" + painted_row(text, bad=lost > 0, colour=self.style.colour))


class Objects(ServedReport):
    """For programs: a line of JSON for the address, one for the end, and with ndjson one for each event."""

    events = False

    def listener(self, history: History) -> Listen | None:
        lines = Lines(self.out.write) if self.events else None
        if self.style.quiet:
            return _only_lost(lines) if lines is not None else None
        show = lines

        def hear(event: Any) -> None:
            history.hear(event)
            if show is not None:
                show(event)

        return hear

    def listening(self, server: Server, scheme: str, host: str, port: int, out: IO[str]) -> None:
        self.write(json.dumps({"event": "listening", **_address(server, scheme, host, port)}), out)
        out.flush()

    def finish(self, server: Server, scenarios: "dict[str, Scenario]") -> None:
        vhosts = {
            name: {
                "counts": counts(vhost.broker),
                "queues": {
                    queue.broker_name: {"type": queue.kind, "ready": queue.ready_count(), "unacked": queue.unacked}
                    for queue in vhost.broker.queues.values()
                },
            }
            for name, vhost in server.vhosts.items()
        }
        end = {"event": "served", "clock_ms": server.clock.now_ms(), "lost": server.lost(), "vhosts": vhosts}
        self.write(json.dumps({**end, "forgotten": server.history.forgotten}))


class EventLines(Objects):
    events = True


REPORTS: dict[str, type[ServedReport]] = {"table": Lively, "plain": Lively, "json": Objects, "ndjson": EventLines}


def report_for(format: str, out: IO[str], style: OutputStyle) -> ServedReport:
    return REPORTS[format](out, style)


def _only_lost(listen: Listen) -> Listen:
    def hear(event: Any) -> None:
        if type(event) in LOST and is_lost(event):
            listen(event)

    return hear


def result_of(scenario: "Scenario", broker: Any, history: History) -> "Result":
    """As if it had been a run, as far as its messages are known."""
    from routesim.run import Result
    from routesim.run.folds.records import Deliveries, Gets, Publishers

    return Result(
        scenario, broker, "served", True, broker.now, history.messages, Deliveries(()), Gets(), history.fates, Publishers(), [],
        [], "", False, "idle", 0, list(broker.used.values()),
    )  # fmt: skip
