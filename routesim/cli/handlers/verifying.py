"""What `routesim verify` does once its command line is understood."""

import os
import time
from typing import Any

from routesim.cli.handlers.running_on_broker import BrokerTarget, loaded_for, session, with_broker
from routesim.cli.shared.exits import NO, OK, UNUSABLE, UsageError
from routesim.cli.shared.files import found as found_files
from routesim.cli.shared.options import format_of, stdin_once
from routesim.cli.shared.output import keep_apart, opened, stderr_line, style_of
from routesim.cli.shared.progress import Progress
from routesim.cli.shared.refusing import write_problems
from routesim.named_tuples import NamedTuple
from routesim.rabbitmq.problems import BrokerProblem
from routesim.rabbitmq.scratch import Terminated
from routesim.report.formats import VERIFY, formats_of, writer_of
from routesim.report.results.findings import refused
from routesim.report.results.verdicts import Verdicts
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario import Scenario
from routesim.verify import TRIES, VerifyVerdict, verify

ANSWERS_TRIED, BETWEEN_S = 10, 3.0


class VerifyOptions(NamedTuple):
    """The command line of `routesim verify`."""

    files: list[str]
    target: BrokerTarget
    random: int
    seed: int
    keep: str
    format: str | None
    output: str | None
    vhost: str | None = None


def verify_all(options: VerifyOptions) -> int:
    """Exit status 1 when the engines differ somewhere."""
    options = options._replace(files=found_files(options.files))
    options = options._replace(format=format_of(options.format, options.output, formats_of(VERIFY)) or "table")
    if bool(options.files) == bool(options.random):
        raise UsageError("give either scenario files or --random N")
    stdin_once(options.files)
    keep_apart(options.files, options.output)
    if options.random and not os.path.isdir(options.keep):
        raise UsageError(f"--keep: there is no directory {options.keep}")
    return with_broker(lambda: _verify_all(options))


def _verify_all(options: VerifyOptions) -> int:
    found = session(options.target)
    files = [loaded_for(path, found, options.vhost) for path in options.files]
    for item in files:
        write_problems(item.problems)
    unusable = [refused(item.file, item.problems) for item in files if item.scenario is None]
    usable = [item.scenario for item in files if item.scenario is not None]
    problem = None
    with opened(options.output) as out:  # what cannot be written is to be known before the work, not after it
        if options.random:
            verdicts, problem = _random(options, found)
        else:
            verdicts = _each(usable, options, found)
        shown = Verdicts(verdicts, found.version, unusable)
        format = options.format or "table"
        writer_of(format, VERIFY)(out, shown, style_of(out, format))
    if problem is not None:
        raise problem
    if unusable:
        return UNUSABLE
    return NO if any(item.difference for item in verdicts) else OK


def _each(scenarios: list[Scenario], options: VerifyOptions, found: BrokerSession) -> list[VerifyVerdict]:
    progress, verdicts = Progress("verify", quiet=False), []
    for number, scenario in enumerate(scenarios, 1):
        progress.say(f"{number} of {len(scenarios)}, {scenario.name}")
        verdicts.append(verify(scenario, found, options.target.speed))
    progress.clear()
    return verdicts


def _random(options: VerifyOptions, found: BrokerSession) -> tuple[list[VerifyVerdict], BaseException | None]:
    """Verifies drawn scenarios; each that differs is shrunk and kept as a file, and so is one that the broker does not survive.
    The problem: why not all of them were tried; the broker is gone, or somebody has ended it."""
    from routesim.verify.drawing import draw

    progress, verdicts, differ = Progress("verify", quiet=False), [], 0
    problem: BaseException | None = None
    for number in range(options.random):
        progress.say(f"{number + 1} of {options.random}, {differ} differ")
        document = draw(options.seed, number, found.profile, found.types, restarts=found.restart_command is not None)
        try:
            verdict = _again(document, options, found)
            if verdict.difference is not None:
                differ += 1
                progress.clear()
                verdict = _shrunk(document, verdict, options, found)
        except BrokerProblem as failed:
            progress.clear()
            verdict = _failed(document, failed, options)
            problem = None if _answers(found) else failed
        except (KeyboardInterrupt, Terminated) as ended:
            problem = ended
            break
        verdicts.append(verdict)
        if problem is not None:
            break
    progress.clear()
    return verdicts, problem


def _failed(document: dict[str, Any], problem: BrokerProblem, options: VerifyOptions) -> VerifyVerdict:
    """Of a scenario in the midst of which the broker, or one of its queues, stopped answering."""
    stderr_line(f"{document['name']}: {problem}")
    path = _kept(document, options)
    return VerifyVerdict(path, document["name"], skipped=f"void: {problem}")


def _answers(found: BrokerSession) -> bool:
    """Whether the broker is there, or comes back soon."""
    for _ in range(ANSWERS_TRIED):
        if found.answers():
            return True
        time.sleep(BETWEEN_S)
    return False


def _shrunk(document: dict[str, Any], verdict: VerifyVerdict, options: VerifyOptions, found: BrokerSession) -> VerifyVerdict:
    """The smallest scenario found that differs in the same thing, kept as a file."""
    from routesim.verify.shrinking import shrink

    name, alike = document["name"], verdict.kind
    stderr_line(f"{name} differs; looking for a smaller scenario that does")
    small = shrink(document, lambda each: _again(each, options, found, 2).kind == alike)
    smaller = _again(small, options, found)
    if smaller.difference is None:  # it showed by chance: what differed for certain is kept
        small, smaller = document, verdict
    return smaller._replace(file=_kept(small, options))


def _kept(document: dict[str, Any], options: VerifyOptions) -> str:
    """Writes it as a file, and returns its path."""
    from routesim.scenario.yaml.writing import text

    path = os.path.join(options.keep, f"{document['name']}.yaml")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text(document))
    stderr_line(f"kept {path}")
    return path


def _again(document: dict[str, Any], options: VerifyOptions, found: BrokerSession, tries: int = TRIES) -> VerifyVerdict:
    from routesim.verify.drawing import scenario_of

    return verify(scenario_of(document, found.profile), found, options.target.speed, tries=tries)
