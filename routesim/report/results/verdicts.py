"""What `verify` found: a case a scenario, that both engines agree, or the first difference between them."""

import json
from collections.abc import Sequence
from typing import Any

from routesim.diagnostics import ERROR, Diagnostic, Place
from routesim.named_tuples import NamedTuple
from routesim.report.results import FAILED, PASSED, SKIPPED, Case, Suite
from routesim.report.results.findings import file_object
from routesim.verify import VerifyVerdict
from routesim.verify.comparing import EngineDifference


class Verdicts(NamedTuple):
    """`version`: the broker's. `refused`: files that cannot be used; the others were verified nevertheless."""

    verdicts: Sequence[VerifyVerdict]
    version: str
    refused: Sequence[Suite] = ()

    @property
    def suites(self) -> list[Suite]:
        return [*self.refused, *(suite_of(item) for item in self.verdicts)]

    @property
    def data(self) -> dict[str, Any]:
        """Everything, for programs."""
        rows = [
            {
                "file": item.file, "scenario": item.name, "agrees": item.agrees, "skipped": item.skipped, "tries": item.tries,
                "difference": item.difference._asdict() if item.difference else None,
            }
            for item in self.verdicts
        ]  # fmt: skip
        nothing = {"scenario": None, "agrees": False, "skipped": None, "tries": 0, "difference": None}
        rows += [{**nothing, **file_object(suite)} for suite in self.refused]
        ok = not self.refused and not any(item.difference for item in self.verdicts)
        groups = [{"what": what, "rule": rule, "files": files} for (what, rule), files in self.groups.items()]
        return {"rabbitmq": self.version, "ok": ok, "verdicts": rows, "groups": groups}

    @property
    def groups(self) -> dict[tuple[str, str], list[str]]:
        """The files that differ, by what differs."""
        found: dict[tuple[str, str], list[str]] = {}
        for item in self.verdicts:
            if item.kind is not None:
                found.setdefault(item.kind, []).append(item.file)
        return found

    def verdict(self) -> str:
        """The sum in a sentence."""
        agree = [item for item in self.verdicts if item.agrees]
        again = sum(item.tries > 1 for item in agree)
        differ = sum(item.difference is not None for item in self.verdicts)
        skipped = len(self.verdicts) - len(agree) - differ
        parts = [f"{len(agree)} agree" + (f" ({again} not at the first try)" if again else ""), f"{differ} differ"]
        parts += [f"{skipped} skipped"] if skipped else []
        return f"{'DIFFERENT' if differ else 'OK'}  {', '.join(parts)}; on a real RabbitMQ {self.version}"


def suite_of(item: VerifyVerdict) -> Suite:
    if item.skipped is not None:
        case = Case(item.name, SKIPPED, 0, None, item.skipped)
    elif item.difference is not None:
        problem = difference_found(item.file, item.difference)
        case = Case(item.name, FAILED, 0, problem, problem.message)
    else:
        case = Case(item.name, PASSED)
    return Suite(item.name, item.file, (case,))


def difference_found(file: str, difference: EngineDifference) -> Diagnostic:
    """What was simulated is what was expected of the broker."""
    simulated, real = (shown_side(side) for side in (difference.simulated, difference.real))
    message = f"{difference.what} {difference.where}".rstrip()
    return Diagnostic(ERROR, "engines-differ", message, Place(file, 0, 0), expected=simulated, found=real, why=difference.rule)


def shown_side(value: Any) -> str:
    """What one engine had there, as text."""
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
