"""The pages that ship, `routesim/docs`: which there are, one of them or a part of one, and where a word stands.

A part is called by an explicit anchor, `<a id="2.10"></a>`, or by its heading as the repository's pages make an address of it.
Nothing is read until it is asked for.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from routesim.diagnostics import did_you_mean
from routesim.explain.answer import Answer, CannotExplain
from routesim.named_tuples import NamedTuple
from routesim.tables import Cell, Section

FOLDER = Path(__file__).parents[2] / "docs"
INDEX, WORDS, TRACE = "README", "words", "trace"
ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
FENCE = re.compile(r"^ *(`{3,}|~{3,})")
HEADING = re.compile(r"^(#{1,6}) +(.*?) *$")
LINK = re.compile(r"!?\[((?:[^\[\]`]|`[^`]*`)*)\]\(([^)\s]+)\)")
COMMENT = re.compile(r"^<!-- .* -->$")
CODE = re.compile(r"(`+[^`]*`+)")
MOST_HITS = 40
LAST = ("changes",)  # where a word is looked for last


class Passage(NamedTuple):
    """A page, or a part of it, as Markdown."""

    topic: str
    text: str


def topics() -> list[str]:
    """What a page is called: its path without `.md`; that of a folder's README is the folder."""
    paths = (path.relative_to(FOLDER) for path in sorted(FOLDER.rglob("*.md")))
    return [name for path in paths if (name := _topic(path.as_posix()))]


def _topic(path: str) -> str:
    """The topic of a page by its path within the folder; of the list of all pages an empty one."""
    return path.removesuffix(".md").removesuffix(INDEX).strip("/")


def part(asked: str) -> Passage:
    """What `TOPIC` or `TOPIC#ANCHOR` names; nothing: the list of pages. Raises `CannotExplain`."""
    name, _, anchor = asked.partition("#")
    topic = _found(name)
    text = _text(topic)
    if not anchor:
        return Passage(topic, text)
    lines = _part(text, anchor)
    if lines is None:
        known = [known for known in anchors(topic) if known]
        hint = did_you_mean(anchor, known) or f"its parts are {', '.join(known[:12])}{' …' if len(known) > 12 else ''}"
        raise CannotExplain(f"the page '{topic}' has no part '{anchor}'; {hint}")
    return Passage(topic, "\n".join(lines) + "\n")


def anchors(topic: str) -> list[str]:
    """The parts of a page that can be named, in their order."""
    return anchors_of(_text(topic))


def anchors_of(text: str) -> list[str]:
    found: dict[str, None] = {}
    for line in _outside_code(text.splitlines()):
        found.update(dict.fromkeys([*ANCHOR.findall(CODE.sub("", line.text)), *([line.slug] if line.slug else [])]))
    return list(found)


def words() -> list[str]:
    """What can be asked for as a word: the parts of the page of words, each by the first of its names."""
    return re.findall(rf"^#+ {ANCHOR.pattern}", _text(WORDS), re.MULTILINE)


def place_of_word(word: str) -> str | None:
    """The part that says what a word means, be it a word of AMQP or an event of a trace; None: there is none."""
    wanted = _plain(word)
    for topic in (WORDS, TRACE):
        for name in ANCHOR.findall(_text(topic)):
            if _plain(name) == wanted:
                return f"{topic}#{name}"
    return None


def _plain(word: str) -> str:
    return word.strip().casefold().replace("_", "-").replace(" ", "-")


def search(word: str, asked: str = "") -> Answer:
    """The parts of all pages, or of one, in which the word stands, upper or lower case alike, each with a line that has it; those
    first that are about it by their name. Raises `CannotExplain`."""
    wanted = word.casefold().strip()
    if not wanted:
        raise CannotExplain("--search needs a word")
    pages = [_found(asked.partition("#")[0])] if asked else topics()
    found: dict[tuple[str, str], str] = {}
    for topic in pages:
        for anchor, line in _hits(topic, wanted):
            found.setdefault((topic, anchor), line)
    hits = [(topic, anchor, line) for (topic, anchor), line in found.items()]
    hits.sort(key=lambda hit: (hit[0] in LAST, wanted.replace(" ", "-") not in hit[1].replace("_", "-")))
    shown = hits[:MOST_HITS]
    rows = [(Cell(f"{topic}#{anchor}" if anchor else topic), Cell(line)) for topic, anchor, line in shown]
    where = f"{len(hits)} {'place' if len(hits) == 1 else 'places'} in {_count({topic for topic, *_ in hits})}"
    hints = [f"routesim docs {rows[0][0].text} shows the first."] if rows else ["routesim docs lists the pages."]
    if len(hits) > len(shown):
        hints.insert(0, f"{len(hits) - len(shown)} more are left out; name a page: routesim docs PAGE --search {word}")
    data = {"word": word, "places": [{"topic": topic, "anchor": anchor, "text": line} for topic, anchor, line in hits]}
    sections = (Section("", ("where", "what stands there"), rows),) if rows else ()
    return Answer(f"'{word}': {where if hits else 'in no page'}", sections, tuple(hints), data, yes=bool(hits))


def readable(part: Passage) -> str:
    """The text without what only a page on the web needs: anchors, comments, pictures; links say where else to look."""
    lines = []
    for line in _outside_code(part.text.splitlines(), code=True):
        if line.is_code:
            lines.append(line.text)
        elif not COMMENT.match(line.text):
            pieces = [piece if CODE.fullmatch(piece) else ANCHOR.sub("", piece) for piece in CODE.split(line.text)]
            lines.append(LINK.sub(lambda match: _said(match, part.topic), "".join(pieces)))
    text = "\n".join(lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _said(link: "re.Match[str]", topic: str) -> str:
    text, target = link.groups()
    if link[0].startswith("!"):
        return ""
    if "://" in target:
        return f"{text} ({target})"
    path, sharp, anchor = target.partition("#")
    folder = topic if (FOLDER / topic / f"{INDEX}.md").is_file() else posixpath.dirname(topic)
    page = posixpath.normpath(posixpath.join(folder, path)) if path else ""
    if page.startswith("../"):  # beside the documentation, in the repository
        return f"{text} ({posixpath.normpath(posixpath.join('routesim/docs', page))})"
    place = f"{_topic(page) if path else topic}{sharp}{anchor}"
    known = text in (place, anchor, _topic(page) if not anchor else "")
    if topic in ("", INDEX) or topic.startswith("rules") or not path:  # lists; rules that cite one another
        return text if known else f"{text} (docs {place})"
    return f"`routesim docs {place}`" if known else f"{text} (`routesim docs {place}`)"


# Reading ---------------------------------------------------------------------------------------------------------------


class _Line(NamedTuple):
    number: int
    text: str
    slug: str  # of a heading
    level: int  # of a heading, else 0
    is_code: bool


def _outside_code(lines: list[str], *, code: bool = False) -> Iterator[_Line]:
    """The lines; those of code only where asked for."""
    fence, slugs = "", dict[str, int]()
    for number, text in enumerate(lines):
        mark = FENCE.match(text)
        if fence or mark:
            if mark and not fence:
                fence = mark[1]
            elif mark and mark[1].startswith(fence):
                fence = ""
            if code:
                yield _Line(number, text, "", 0, True)
            continue
        heading = HEADING.match(text)
        slug = ""
        if heading:
            slug = _slug(heading[2])
            slugs[slug] = slugs.get(slug, -1) + 1
            slug += f"-{slugs[slug]}" * (slugs[slug] > 0)
        yield _Line(number, text, slug, len(heading[1]) if heading else 0, False)


def _slug(heading: str) -> str:
    """The address of a heading on the repository's pages."""
    text = LINK.sub(lambda match: match[1], ANCHOR.sub("", heading)).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def _part(text: str, anchor: str) -> list[str] | None:
    lines = text.splitlines()
    read = list(_outside_code(lines))
    explicit = f'<a id="{anchor}"></a>'
    at = next((line for line in read if explicit in CODE.sub("", line.text)), None)
    at = at or next((line for line in read if line.slug == anchor.lower()), None)
    if at is None:
        return None
    if at.level:
        end = next((line.number for line in read if line.number > at.number and 0 < line.level <= at.level), len(lines))
        return lines[at.number : end]
    if at.text.startswith("|"):
        head = at.number
        while head and lines[head - 1].startswith("|"):
            head -= 1
        return [*lines[head : head + 2], at.text]
    indent = len(at.text) - len(at.text.lstrip())
    end = at.number + 1
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > indent):
        end += 1
    return [line[indent:] for line in lines[at.number : end]]


def _hits(topic: str, wanted: str) -> Iterator[tuple[str, str]]:
    """The nearest part above each line that has the word, and the line without marks."""
    anchor = ""
    for line in _outside_code(_text(topic).splitlines(), code=True):
        if not line.is_code:
            explicit = ANCHOR.findall(CODE.sub("", line.text))
            anchor = explicit[0] if explicit else line.slug if line.level > 1 else "" if line.level == 1 else anchor
        text = LINK.sub(lambda match: match[1], ANCHOR.sub("", line.text)).strip("#|- *").replace("**", "")
        if wanted in text.casefold() and not COMMENT.match(line.text):
            yield anchor, re.sub(r"\s*\|\s*", ": ", text)


def _text(topic: str) -> str:
    path = FOLDER / f"{topic}.md"
    if not topic or not path.is_file():
        path = FOLDER / topic / f"{INDEX}.md"
    return path.read_text(encoding="utf-8")


def _found(name: str) -> str:
    """The topic that a person means: its name, its file, or the end of its name where only one has it."""
    wanted = name.strip().lower().removesuffix(".md").strip("/")
    known = topics()
    if not wanted or wanted in known:
        return wanted
    ends = [topic for topic in known if topic.rpartition("/")[2] == wanted]
    if len(ends) == 1:
        return ends[0]
    hint = did_you_mean(wanted, [*known, *(topic.rpartition("/")[2] for topic in known)])
    if not hint and place_of_word(wanted):
        hint = f"`routesim explain {wanted}` explains the word, `routesim docs --search {wanted}` shows where it stands"
    if not hint:
        hint = f"there are {', '.join(known)}; `routesim docs --search {shlex.quote(name)}` shows where it stands"
    raise CannotExplain(f"there is no page '{name}'; {hint}")


def _count(pages: set[str]) -> str:
    return f"{len(pages)} {'page' if len(pages) == 1 else 'pages'}"
