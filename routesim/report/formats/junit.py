"""JUnit's XML: a test suite for each file or scenario, in the form that Jenkins, GitLab and the like read."""

from xml.sax.saxutils import escape, quoteattr

from routesim.report.formats.diagnostics import failure_lines, one_line
from routesim.report.formats.reports import SuiteReport
from routesim.report.results import FAILED, NOTED, PASSED, REFUSED, SKIPPED, Case, Suite
from routesim.text import visible

# The element of a case that did not just pass.
ELEMENTS = {FAILED: "failure", REFUSED: "error"}


class JUnit(SuiteReport):
    @classmethod
    def frame(cls, count: int) -> tuple[str, str]:
        return '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="routesim">\n', "</testsuites>\n"

    @classmethod
    def suite(cls, suite: Suite, encoding: str) -> str:
        counts = " ".join(
            f'{name}="{suite.number_of(outcome)}"'
            for name, outcome in (("failures", FAILED), ("errors", REFUSED), ("skipped", SKIPPED))
        )
        lines = [
            f'  <testsuite name={_attribute(suite.name)} tests="{len(suite.cases)}" {counts} file={_attribute(suite.file)}>',
            *(line for case in suite.cases for line in _case(case, suite.file)),
        ]
        text = "\n".join([*lines, "  </testsuite>\n"])
        # The declaration says UTF-8; what is written otherwise must at least be ASCII.
        return text if encoding.lower().replace("-", "") == "utf8" else text.encode("ascii", "xmlcharrefreplace").decode()


def _case(case: Case, file: str) -> list[str]:
    line = f' line="{case.line}"' if case.line else ""
    head = f"    <testcase name={_attribute(case.name)} classname={_attribute(file)} file={_attribute(file)}{line}"
    return [f"{head}/>"] if case.outcome == PASSED else [f"{head}>", f"      {_inner(case)}", "    </testcase>"]


def _inner(case: Case) -> str:
    item = case.problem
    if case.outcome == SKIPPED or item is None:
        return f"<skipped message={_attribute(case.reason)}/>"
    compared = item.expected or item.found or item.why
    text = "\n".join(escape(line) for line in (failure_lines(item) if compared else [one_line(item)]))
    if case.outcome == NOTED:
        return f"<system-out>{text}</system-out>"
    name = ELEMENTS[case.outcome]
    return f"<{name} type={_attribute(item.code)} message={_attribute(case.reason)}>{text}</{name}>"


def _attribute(text: str) -> str:
    """XML has no way to write most control characters: they are made visible first."""
    return quoteattr(visible(text))
