"""What `routesim serve` does once its command line is understood: what it starts with, and until when it runs."""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from routesim.cli.handlers.servers.serving_inputs import ServeOptions, plan_of, scenarios_of, users_of
from routesim.cli.shared.exits import NO, NO_VERDICT, OK, FilesRefused, UsageError
from routesim.cli.shared.options import choice, format_of
from routesim.cli.shared.output import CannotWrite, format_for, opened, stderr_line, style_of
from routesim.cli.shared.refusing import refuse_runs, rules_of
from routesim.durations import both_readings, parse_duration
from routesim.report.formats.served import FORMATS, ServedAt, ServedReport, report_for

if TYPE_CHECKING:
    from routesim.cli.recorders.served import ServedRecording
    from routesim.control.control import Control
    from routesim.run.playing import Player
    from routesim.scenario import Scenario
    from routesim.scenario.failure_plan import FailurePlan
    from routesim.serve.server import Server
    from routesim.serve.transport import Reserved, Transport
    from routesim.serve.vhosts import Vhost

ACTING = ("consumers", "workers", "steps")  # of a scenario, beside its topology
CLOCKS = ("real", "manual")
FLUSH_S = 0.05
ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def serve_files(options: ServeOptions) -> int:
    """The exit status. Raises `UsageError`."""
    _check(options)
    recording: ServedRecording | None = None
    if options.recording.file is not None:
        from routesim.cli.recorders.served import recording_for  # nobody else waits for it

        recording = recording_for(options, options.recording.file)
    elif (without := options.recording).bodies or without.redact or without.force:
        raise UsageError("--bodies, --redact and --force go with --record FILE")
    from routesim.serve.loop import run

    try:
        scenarios, plan = scenarios_of(options), plan_of(options.failures)
        if recording is not None:
            recording.check_vhosts(scenarios)
    except FilesRefused as problem:
        return refuse_runs(problem, options.format, options.output)
    try:
        with opened(options.output) as out:
            status = run(_serve(options, scenarios, out, plan, recording))
        if recording is not None:
            recording.write()
        return status
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None


def _check(options: ServeOptions) -> None:
    options = options._replace(format=format_of(options.format, options.output, FORMATS))
    choice("--clock", options.clock, CLOCKS)
    if options.rabbitmq is not None:
        rules_of(options.rabbitmq)
    if options.clock == "manual" and options.speed != 1:
        raise UsageError("--speed is of the real clock; the manual one goes as it is told")
    if options.clock == "manual" and "-" in options.files:
        raise UsageError("--clock manual reads `advance` from stdin, so FILE cannot be -")
    if options.key and not options.certificate:
        raise UsageError("--tls-key goes with --tls-cert")


def _server(options: ServeOptions, scenarios: "dict[str, Scenario]") -> "Server":
    from routesim.serve.clocks import ManualClock, WallClock
    from routesim.serve.declared import broker_of
    from routesim.serve.server import Server

    brokers = {name: broker_of(scenario) for name, scenario in scenarios.items()}
    version = next(iter(scenarios.values())).rabbitmq
    clock = WallClock(options.speed) if options.clock == "real" else ManualClock()
    return Server(rules_of(version), brokers, users_of(options), clock, options.history)


def _reason(problem: OSError) -> str:
    """In the system's words: asyncio's own say the address once more, and say it differently from Python to Python."""
    return os.strerror(problem.errno) if problem.errno is not None and problem.errno > 0 else problem.strerror or str(problem)


async def _serve(
    options: ServeOptions, scenarios: "dict[str, Scenario]", out: IO[str], plan: "FailurePlan | None",
    recording: "ServedRecording | None",
) -> int:  # fmt: skip
    from routesim.serve.transport import Transport, reserved

    server = _server(options, scenarios)
    transport = Transport(server)
    context = _context(options)
    try:
        port = await transport.listen(options.host, options.port, context)
    except OSError as problem:
        reason = _reason(problem)
        stderr_line(
            f"error: cannot listen on {options.host}:{options.port}: {reason}; --port chooses another, 0 any that is free"
        )
        return NO_VERDICT
    try:
        management = reserved(options.host, options.management_port) if options.management else None
    except OSError as problem:
        reason = _reason(problem)
        stderr_line(
            f"error: cannot listen on {options.host}:{options.management_port}: {reason}; --management-port chooses another, "
            "--no-management does without"
        )
        await transport.close("server is shutting down")
        return NO_VERDICT
    report = report_for(format_for(options.format, out), out, style_of(out, format_for(options.format, out), quiet=options.quiet))

    def listen(vhost: "Vhost") -> None:
        vhost.broker.listen = report.listener(vhost)

    for vhost in server.vhosts.values():
        listen(vhost)
        if recording is not None:
            recording.begin(vhost, scenarios[vhost.name])
    server.greeters.append(listen)
    with _told_to_end() as ended:
        token = secrets.token_urlsafe(24)
        _say_where(options, report, _address(options, port, management, token), server, scenarios)
        if options.clock == "manual" or options.exit_with_parent:
            _hear_commands(transport, report, ended if options.exit_with_parent else None)
        players = _play(server, scenarios, report) if options.play else {}
        if plan is not None:
            _plan(server, plan)
        control = await _controlled(transport, management, options, token)
        transport.turn()
        flushing = asyncio.create_task(_flush_now_and_then(out))
        await ended.wait()
        flushing.cancel()
        server.advance()
        if recording is not None:
            recording.end()
        ends = {name: player.finish() for name, player in players.items()}
        lost = options.fail_on_loss and server.lost()
        report.look(server, scenarios, ends)
        if control is not None:
            await control.close()
        await transport.close("server is shutting down")
    report.finish(server)
    return NO if lost or not all(end.ok for end in ends.values()) else OK


def _plan(server: "Server", plan: "FailurePlan") -> None:
    """What is to go wrong goes wrong when its time has come."""
    from routesim.control.planned import begin

    begin(server, plan, stderr_line)


def _play(server: "Server", scenarios: "dict[str, Scenario]", report: ServedReport) -> "dict[str, Player]":
    """The clients of each scenario that has some act from now on."""
    from routesim.run.playing import Player

    players = {}
    for name, vhost in server.vhosts.items():
        if any(getattr(scenarios[name], each) for each in ACTING):
            player = players[name] = Player(scenarios[name], vhost.broker, vhost.dispatch, vhost.broker.listen)
            server.play(name, player, player.connections)
    return players


def _context(options: ServeOptions) -> Any:
    """Raises `UsageError`."""
    if options.certificate is None:
        return None
    from routesim.serve.tls import context

    try:
        return context(options.certificate, options.key)
    except OSError as problem:
        raise UsageError(f"cannot use the certificate {options.certificate}: {problem.strerror or problem}") from None


def _address(options: ServeOptions, port: int, management: "Reserved | None", token: str) -> ServedAt:
    scheme = "amqps" if options.certificate else "amqp"
    return ServedAt(scheme, options.host, port, None if management is None else management.port, token)


async def _controlled(
    transport: "Transport", management: "Reserved | None", options: ServeOptions, token: str
) -> "Control | None":
    """What answers HTTP: loaded once AMQP is answered."""
    if management is None:
        return None
    from routesim.control.control import Control

    address = (options.host, management.port)
    control = Control(transport.server, transport.turn, address, token, follow=not options.quiet)
    await control.listen(management)
    return control


def _say_where(
    options: ServeOptions, report: ServedReport, address: ServedAt, server: "Server", scenarios: "dict[str, Scenario]"
) -> None:
    report.listening(server, address, sys.stdout if options.output else report.out)
    for scenario in scenarios.values() if not options.play else ():
        idle = [name for name in ACTING if getattr(scenario, name)]
        if idle:
            stderr_line(f"note: {scenario.file}: {' and '.join(idle)} act with --play alone; the topology is there")
    stderr_line("note: permissions of users are not enforced: who is let in may do everything")
    if options.host not in ("127.0.0.1", "localhost", "::1"):
        stderr_line(f"warning: whoever reaches {options.host} can connect; this server is for tests, not for production")


@contextlib.contextmanager
def _told_to_end() -> Iterator[asyncio.Event]:
    """An event that Ctrl-C, SIGTERM and SIGHUP set."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    handled = []
    before = {}
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_IGN:
            continue
        try:
            loop.add_signal_handler(number, ended.set)
            handled.append(number)
        except (NotImplementedError, RuntimeError):  # Windows
            before[number] = signal.signal(number, lambda *_: loop.call_soon_threadsafe(ended.set))
    try:
        yield ended
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
        for number, handler in before.items():
            signal.signal(number, handler)


async def _flush_now_and_then(out: IO[str]) -> None:
    """What has been written is seen soon, without a system call for each line."""
    while True:
        await asyncio.sleep(FLUSH_S)
        out.flush()


def _hear_commands(transport: "Transport", report: ServedReport, ended: asyncio.Event | None) -> None:
    """Lines on stdin, on every system: read in a thread, carried out in the loop. `ended`: to be set when there are no more."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin if sys.stdin is not None else ():
            loop.call_soon_threadsafe(_command, transport, report, line.strip())
        if ended is not None:
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, daemon=True).start()


def _command(transport: "Transport", report: ServedReport, line: str) -> None:
    verb, _, rest = line.partition(" ")
    if not verb:
        return
    if verb == "why" and rest.strip():
        transport.server.advance()
        report.why(transport.server, rest.strip())
        return
    ms = parse_duration(rest.strip()) if verb == "advance" else None
    if ms is not None and (readings := both_readings(rest.strip())):
        stderr_line(f"error: advance {rest.strip()} has no unit: {readings}?")
        return
    if ms is None:
        stderr_line(f"error: stdin takes `advance 5s` and `why MESSAGE`, not '{line}'")
        return
    transport.advance_by(ms)
