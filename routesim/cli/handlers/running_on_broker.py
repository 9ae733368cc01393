"""What commands with `--broker` do: `routesim run --broker`, and the session that `verify` shares with it."""

from collections.abc import Callable
from typing import IO

from routesim.cli.handlers.running import RunOptions, check, separates, usable
from routesim.cli.shared.exits import INTERRUPTED, NO, NO_VERDICT, OK, UNUSABLE, FilesRefused, UsageError
from routesim.cli.shared.output import CannotWrite, format_for, opened, read_stdin, stderr_line, style_of
from routesim.cli.shared.refusing import Loaded, loaded, refuse_runs
from routesim.named_tuples import NamedTuple
from routesim.rabbitmq.http.features import features_unlike, to_permit
from routesim.rabbitmq.http.finding import management_beside
from routesim.rabbitmq.problems import BrokerProblem, NotOnARealBroker
from routesim.rabbitmq.scratch import Terminated, ended_by_signals
from routesim.rabbitmq.url import BadAddress, amqp_address, web_address
from routesim.report.formats import run_report
from routesim.run.on_rabbitmq.rehearsal import Rehearsal, rehearsed
from routesim.run.on_rabbitmq.runnable import check_speed, why_not
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario import Scenario


class BrokerTarget(NamedTuple):
    """`--broker`, `--management`, `--speed` and `--restart`."""

    broker: str
    management: str | None
    speed: int
    restart: str | None = None


def session(target: BrokerTarget) -> BrokerSession:
    """Raises `UsageError` for an address that is none, `BrokerProblem` when nobody answers there."""
    try:
        amqp = amqp_address(target.broker)
        web = web_address(target.management, amqp) if target.management else management_beside(amqp)
    except BadAddress as problem:
        raise UsageError(str(problem)) from None
    found = BrokerSession(amqp, web, target.restart)
    if found.warning:
        stderr_line(f"warning: {found.warning}")
    return found


def run_live(files: list[str], options: RunOptions, target: BrokerTarget) -> int:
    """Runs the scenarios in order; the exit status of the worst. All are loaded before the first one runs."""
    check(files, options)
    if options.coverage:
        raise UsageError("--coverage is of the embedded engine; leave out --broker")
    return with_broker(lambda: _run_all(files, options, target))


def with_broker(work: Callable[[], int]) -> int:
    """The exit status of the work, or of what a real broker and the signals of a person do to it. Raises `UsageError`."""
    try:
        with ended_by_signals():
            return work()
    except BrokerProblem as problem:
        stderr_line(f"error: {problem}")
        return NO_VERDICT
    except NotOnARealBroker as problem:
        stderr_line(f"error: {problem}")
        return UNUSABLE
    except Terminated:
        return INTERRUPTED
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None


def _run_all(files: list[str], options: RunOptions, target: BrokerTarget) -> int:
    found = session(target)
    try:
        scenarios = usable((loaded_for(path, found, options.vhost) for path in files), options)
    except FilesRefused as problem:
        return refuse_runs(problem, options.format, options.output)
    if options.seed is not None:
        scenarios = [scenario._replace(seed=options.seed) for scenario in scenarios]
    if options.until is not None:
        scenarios = [scenario._replace(until=options.until) for scenario in scenarios]
    plans = [(scenario, rehearsal(scenario, found, target.speed)) for scenario in scenarios]
    status = OK
    with opened(options.output) as out:
        before, after = run_report(format_for(options.format, out)).frame(len(plans))
        out.write(before)
        for index, (scenario, plan) in enumerate(plans):
            if index and separates(options):
                out.write("\n")
            status = max(status, _run(scenario, plan, options, found, target.speed, out))
        out.write(after)
    return status


def loaded_for(path: str, session: BrokerSession, vhost: str | None = None) -> Loaded:
    """A file by the rules of the version that the broker has, and of what it permits where the file does not say."""
    permit = to_permit(session.features, session.profile)
    return loaded(path, read_stdin() if path == "-" else None, rabbitmq=session.profile, redis=False, permit=permit, vhost=vhost)


def rehearsal(scenario: Scenario, found: BrokerSession, speed: int) -> Rehearsal:
    """Raises `NotOnARealBroker` when it cannot be run there."""
    unlike = features_unlike(scenario.settings.permit, scenario.rabbitmq, found.features)
    why = why_not(scenario, found.types) or unlike
    if why is not None:
        raise NotOnARealBroker(f"{scenario.file}: {why}")
    result, plan = rehearsed(scenario)
    if result.endless:
        raise NotOnARealBroker(f"{scenario.file}: never comes to rest by itself ({result.ended}: {result.kept_going})")
    check_speed(scenario, speed, leases=plan.leases_end)
    return plan


def _run(scenario: Scenario, plan: Rehearsal, options: RunOptions, found: BrokerSession, speed: int, out: IO[str]) -> int:
    format = format_for(options.format, out)
    report = run_report(format)(out, scenario, style_of(out, format, quiet=options.quiet)._replace(rows=options.rows))
    result = found.run(scenario, report.listen, plan=plan, speed=speed)
    report.finish(result)
    for item in result.real.unseen if result.real is not None else ():
        stderr_line(f"note: line {item.line}: {'.'.join(item.path)} was not checked: a real broker does not tell its clients")
    promises = [*((row.line, "routes") for row in scenario.routes), *((rule.line, "never") for rule in scenario.never)]
    for line, section in promises:
        stderr_line(f"note: line {line}: {section} was not checked: only the embedded engine can be asked and watched so closely")
    return OK if result.ok else NO
