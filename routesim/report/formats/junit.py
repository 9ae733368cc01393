"""JUnit's XML: a test suite for each scenario, in the form that Jenkins, GitLab and the like read."""

from xml.sax.saxutils import quoteattr

from routesim.report.formats.cases import Case, cases
from routesim.report.summary.failures import failure_lines
from routesim.run import Result
from routesim.text import visible


def frame(count: int) -> tuple[str, str]:
    return '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="routesim">\n', "</testsuites>\n"


def suite(result: Result, encoding: str) -> str:
    found = cases(result)
    failed = sum(case.failure is not None for case in found)
    file = result.scenario.file
    lines = [
        f'  <testsuite name={_attribute(result.scenario.name)} tests="{len(found)}" failures="{failed}" errors="0" skipped="0"'
        f" file={_attribute(file)}>"
    ]
    for case in found:
        lines += _case(case, file)
    text = "\n".join([*lines, "  </testsuite>\n"])
    # The declaration says UTF-8; what is written otherwise must at least be ASCII.
    return text if encoding.lower().replace("-", "") == "utf8" else text.encode("ascii", "xmlcharrefreplace").decode()


def _case(case: Case, file: str) -> list[str]:
    where = f" (line {case.line})" if case.line else ""
    line = f' line="{case.line}"' if case.line else ""
    head = f"    <testcase name={_attribute(case.name + where)} classname={_attribute(file)} file={_attribute(file)}{line}"
    if case.failure is None:
        return [f"{head}/>"]
    message = f"found {case.failure.found}" + (f": {case.failure.why}" if case.failure.why else "")
    told = "\n".join(_text(part) for part in failure_lines(case.failure))
    failure = f"      <failure type={_attribute(case.kind)} message={_attribute(message)}>{told}</failure>"
    return [f"{head}>", failure, "    </testcase>"]


def _attribute(text: str) -> str:
    """XML has no way to write most control characters: they are made visible first."""
    return quoteattr(visible(text))


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
