"""What `routesim verify` does once its command line is understood."""

import os
from typing import Any, NamedTuple

from routesim.cli.handlers.running import same_file
from routesim.cli.handlers.running_on_broker import BrokerTarget, loaded, session
from routesim.cli.shared.exits import INTERRUPTED, NO, NO_VERDICT, OK, UNUSABLE, UsageError
from routesim.cli.shared.output import CannotWrite, opened, stderr_line, wants_colour
from routesim.diagnostics import did_you_mean
from routesim.rabbitmq.problems import BrokerProblem
from routesim.rabbitmq.scratch import Terminated, ended_by_signals
from routesim.report.formats.verdicts import FORMATS
from routesim.run.session import BrokerSession
from routesim.verify import TRIES, VerifyVerdict, verify


class Verify(NamedTuple):
    """The command line of `routesim verify`."""

    files: list[str]
    target: BrokerTarget
    random: int
    seed: int
    keep: str
    format: str
    output: str | None


def verify_all(asked: Verify) -> int:
    """Exit status 1 when the engines differ somewhere."""
    if asked.format not in FORMATS:
        hint = did_you_mean(asked.format, FORMATS)
        raise UsageError(f"--format takes {', '.join(FORMATS)}, not '{asked.format}'" + (f"; {hint}" if hint else ""))
    if bool(asked.files) == bool(asked.random):
        raise UsageError("give either scenario files or --random N")
    if asked.files.count("-") > 1:
        raise UsageError("- stands for stdin and can be given once")
    for path in asked.files:
        if path != "-" and same_file(path, asked.output):
            raise UsageError(f"--output would overwrite the scenario {path}")
    if asked.random and not os.path.isdir(asked.keep):
        raise UsageError(f"--keep: there is no directory {asked.keep}")
    try:
        with ended_by_signals():
            return _verify_all(asked)
    except BrokerProblem as problem:
        stderr_line(f"error: {problem}")
        return NO_VERDICT
    except Terminated:
        return INTERRUPTED
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None


def _verify_all(asked: Verify) -> int:
    found = session(asked.target)
    scenarios = [loaded(path, found.profile) for path in asked.files]
    usable = [scenario for scenario in scenarios if scenario is not None]
    if len(usable) < len(scenarios):
        return UNUSABLE
    with opened(asked.output) as out:  # what cannot be written is to be known before the work, not after it
        speed = asked.target.speed
        verdicts = _random(asked, found) if asked.random else [verify(scenario, found, speed) for scenario in usable]
        FORMATS[asked.format](out, verdicts, found.version, colour=wants_colour(out))
    return NO if any(item.difference for item in verdicts) else OK


def _random(asked: Verify, found: BrokerSession) -> list[VerifyVerdict]:
    """Verifies drawn scenarios up to the first that differs, which is shrunk and kept as a file."""
    from routesim.scenario.yaml.writing import text
    from routesim.verify.drawing import draw
    from routesim.verify.shrinking import shrink

    verdicts = []
    for number in range(asked.random):
        document = draw(asked.seed, number, found.profile, found.types)
        verdict = _again(document, asked, found)
        if verdict.difference is not None:
            name = document["name"]
            stderr_line(f"{name} differs; looking for a smaller scenario that does")
            small = shrink(document, lambda each: _again(each, asked, found, 2).difference is not None)
            smaller = _again(small, asked, found)
            if smaller.difference is None:  # it showed by chance: what differed for certain is told
                small, smaller = document, verdict
            path = os.path.join(asked.keep, f"{name}.yaml")
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(text(small))
            stderr_line(f"kept {path}")
            verdicts.append(smaller._replace(file=path))
            break
        verdicts.append(verdict)
    return verdicts


def _again(document: dict[str, Any], asked: Verify, found: BrokerSession, tries: int = TRIES) -> VerifyVerdict:
    from routesim.verify.drawing import scenario_of

    return verify(scenario_of(document, found.profile), found, asked.target.speed, tries=tries)
