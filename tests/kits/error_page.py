"""The page `errors` of the documentation, made of the pages that `explain error` shows."""

from collections.abc import Iterator

from routesim.explain.pages.errors import PAGES
from routesim.explain.pages.published import how_often
from routesim.explain.pages.reply_codes import REPLIES
from routesim.explain.pages.rules import RULE_PAGES, Page
from routesim.replies import REPLY_NAMES

HEAD = """# Errors and findings

What each code means that routesim prints in brackets, an example, and the cure; `routesim explain error CODE` prints one. First what is said
of files and command lines, then what `routesim check` finds, then AMQP's reply codes.
"""


def page() -> str:
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield HEAD
    yield "# Of files\n"
    for code, one in PAGES.items():
        if code not in RULE_PAGES:
            yield from _entry(code, code, one)
    yield "# Found by check\n"
    for code, one in RULE_PAGES.items():
        yield from _entry(code, code, one)
    yield "# AMQP's reply codes\n"
    for number, one in sorted(REPLIES.items()):
        yield from _entry(str(number), f"{number} {REPLY_NAMES.get(number, '')}".rstrip(), one)


def _entry(anchor: str, title: str, one: Page) -> Iterator[str]:
    yield f'## <a id="{anchor}"></a>{title}\n'
    yield f"{_text(one.means)}\n"
    if one.example:
        yield f"```\n{one.example}\n```\n"
    if one.cure:
        yield f"Cure: {_text(one.cure)}\n"
    often = how_often(anchor)
    if often:
        yield f"Found {often}.\n"
    if one.ignore:
        yield f"Ignore it: {_text(one.ignore)}\n"


def _text(text: str) -> str:
    """Signs that Markdown would take for marks."""
    parts = text.split("`")
    return "`".join(part if index % 2 else part.replace("*", "\\*").replace("<", "\\<") for index, part in enumerate(parts))
