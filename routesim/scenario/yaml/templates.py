"""Files that another program fills in before they are what they seem to be: Helm's templates, Jinja's."""

import re

from routesim.diagnostics import Invalid
from routesim.scenario.yaml.source import Source

MARK = re.compile(r"\{\{|\{%")
OPENING = re.compile(r"^[ \t\-]*(?:\{\{|\{%)", re.MULTILINE)  # a line that begins with one, as no data do
HELM = re.compile(
    r"\{\{-? *(?:\$|toYaml|include|template|define|range|if|with|end|else|\.(?:Values|Release|Chart|Capabilities|Files))\b"
)
JINJA = re.compile(r"\{%|\{\{ *\w+(?:\.\w+)*(?: *\||[ }])")


def template_in(source: Source, invalid: Invalid) -> Invalid | None:
    """That a text which could not be read is a template, where that is why."""
    opening = OPENING.search(source.text)
    at = opening.end() - 2 if opening is not None else _beside(source, invalid)
    if at is None:
        return None
    problem, cure = told(source.text)
    return source.fail("template", problem, *source.place(at), 2, cure)


def _beside(source: Source, invalid: Invalid) -> int | None:
    """The mark in the line where the text stops being YAML or JSON."""
    for place in (item.place for item in invalid.diagnostics if item.code in ("yaml-syntax", "not-json") and item.place):
        begin = 0
        for _ in range(place.line - 1):
            begin = source.text.find("\n", begin) + 1
        end = source.text.find("\n", begin)
        found = MARK.search(source.text, begin, end if end >= 0 else len(source.text))
        if found is not None:
            return found.start()
    return None


def told(text: str) -> tuple[str, str]:
    """What kind of template a text is, and what helps."""
    if HELM.search(text):
        return (
            "this is a template of Helm, whose {{ … }} are filled in when its chart is rendered",
            "`helm template CHART` renders it",
        )
    if JINJA.search(text):
        return (
            "this is a template of Jinja (of Ansible, say), whose marks are filled in when it is rendered",
            "give what it renders",
        )
    return "this is a template, whose {{ … }} are filled in when it is rendered", "give what it renders"
