"""The documentation that ships: every rule has one anchor, every citation and every link leads to one, and all of it is in the package."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from kits.documents import README
from kits.paths import ROOT

from routesim.explain.pages.documents import anchors_of

DOCS = ROOT / "routesim" / "docs"
PAGES = {f"rules/{path.stem}": path for path in sorted((DOCS / "rules").glob("[!A-Z]*.md"))}
ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
# Where an anchor may stand, and the id or its last part after it: in a heading, at the beginning of an item, in a row's first cell.
PLACE = re.compile(r'(?:#{2,6} |- |\| )<a id="([^"]+)"></a>(?:\*\*)?\(?([\w.-]*\w)\)?(?:\*\*)?(?= |$)')
CITATION = re.compile(r"(?<![\w/])rules/(\w+)(?:#([\w.-]*\w))?(?![\w.]*\.md)")
OLD_FORM = re.compile(r"(?<![\w/])(?:routing|queues|celery|field|performance)\.md\b")
LINK = re.compile(r"\]\(([^)\s]+)\)")
WRITTEN = {".py", ".yaml", ".yml", ".md", ".txt", ".json", ".ndjson", ".svg", ".xml"}


def without_code(text: str) -> str:
    """Markdown without its code, where an anchor or a link is only spoken of."""
    return re.sub(r"^```.*?^```$|`+[^`\n]+`+", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(page: str) -> list[str]:
    return ANCHOR.findall(without_code(PAGES[page].read_text(encoding="utf-8")))


def sources() -> list[Path]:
    """What may cite a rule: all that is written by hand, and the outputs that are kept."""
    found = [README]
    for top in ("routesim", "tests", "scenarios"):
        found += [path for path in sorted((ROOT / top).rglob("*")) if path.suffix in WRITTEN and "__pycache__" not in path.parts]
    return [path for path in found if DOCS not in path.parents and path != Path(__file__)]


def lines() -> list[tuple[str, str]]:
    return [
        (f"{path.relative_to(ROOT)}:{number}", line)
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_anchor_is_there_once(page):
    found = anchors(page)
    assert found
    assert [one for one in sorted(set(found)) if found.count(one) > 1] == []


@pytest.mark.parametrize("page", PAGES)
def test_an_anchor_stands_before_its_id(page):
    """In the README's form: `<a id="1.9b"></a>` before the heading, item or row that begins with 1.9b, (b) or, after a `-`, its end."""
    wrong = []
    for line in PAGES[page].read_text(encoding="utf-8").splitlines():
        if ANCHOR.search(line):
            place = PLACE.match(line)
            if place is None or place[2] not in (place[1], place[1][-1], place[1].split("-")[-1]):
                wrong.append(line)
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_every_heading_of_rules_has_an_anchor(page):
    headings = [line for line in without_code(PAGES[page].read_text(encoding="utf-8")).splitlines() if line.startswith("##")]
    assert [line for line in headings if not PLACE.match(line)] == []


def test_every_citation_leads_to_a_rule():
    known = {page: set(anchors(page)) for page in PAGES}
    wrong, found = [], 0
    for where, line in lines():
        for page, rule in CITATION.findall(line):
            found += 1
            if rule not in {"", *known.get(f"rules/{page}", ())} or f"rules/{page}" not in known:
                wrong.append(f"{where}: rules/{page}#{rule}")
    assert wrong == []
    assert found > 300


def test_no_citation_has_the_old_form():
    assert [f"{where}: {line.strip()}" for where, line in lines() if OLD_FORM.search(line)] == []


LINKING = [README, ROOT / "routesim" / "README.md", *sorted(DOCS.rglob("*.md")), *sorted((ROOT / "scenarios").rglob("*.md"))]


@pytest.mark.parametrize("path", LINKING, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path):
    wrong = []
    for target in LINK.findall(without_code(path.read_text(encoding="utf-8"))):
        if target.startswith(("https://", "http://")):
            continue
        name, _, rule = target.partition("#")
        page = (path.parent / name).resolve() if name else path
        if not page.is_file() or (rule and rule not in anchors_of(page.read_text(encoding="utf-8"))):
            wrong.append(target)
    assert wrong == []


def test_the_documentation_is_in_the_package():
    """A wheel holds all of the package, so what lies in routesim/docs is there after an install."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"packages": ["routesim"], "force-include": {"scenarios": "routesim/scenarios"}}
    assert {path.name for path in (files("routesim") / "docs" / "rules").iterdir()} == {
        "README.md", "routing.md", "queues.md", "celery.md",
    }  # fmt: skip
