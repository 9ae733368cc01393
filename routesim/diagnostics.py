"""One model of results: what is wrong with a file, what `check` finds, what of a run was false, what differs.

Values; nobody below `report` prints."""

from collections.abc import Iterable

from routesim.named_tuples import NamedTuple

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)  # the worst first
FEW = 10  # so many names are read in one sentence


class Place(NamedTuple):
    """A span in a source text. `line` and `column` count from 1, 0: not known; `width` is in characters, at least 1."""

    file: str
    line: int
    column: int
    width: int = 1


class Witness(NamedTuple):
    """A runnable scenario that shows a result, and in one sentence what it does and what comes of it.

    The embedded engine has run it, and all that it expects came true.
    """

    sentence: str
    scenario: str


class Diagnostic(NamedTuple):
    """One result.

    `severity`: one of `SEVERITIES`. `code`: what `routesim explain error CODE` explains; of a run's failure the section that
    is false: expect, routes, never, step or end. `message`: a sentence; of a failure, what was expected. `source`: the text
    of the line that `place` points at. `expected`, `found`, `why`: as texts, where something was compared.
    """

    severity: str
    code: str
    message: str
    place: Place | None = None
    cure: str = ""
    source: str = ""
    witness: Witness | None = None
    expected: str = ""
    found: str = ""
    why: str = ""


class Invalid(Exception):
    """Input that cannot be used; carries every diagnostic found, warnings included."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("; ".join(item.message for item in diagnostics))
        self.diagnostics = diagnostics


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be, or None when nothing is close."""
    known = list(known)
    folded = name.lower().replace("-", "_")
    for candidate in known:
        if candidate.lower().replace("-", "_") == folded:
            return candidate
    # A scenario may hold 100,000 names; difflib would look at each of them for every unknown one.
    if len(known) > 2000:
        known = [candidate for candidate in known if abs(len(candidate) - len(name)) <= 2 and candidate[:1] == name[:1]]
    from difflib import get_close_matches  # what is right needs no hint

    close = get_close_matches(name, known[:2000], n=1, cutoff=0.7)
    return close[0] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A cure that names the nearest known name, or an empty text."""
    close = nearest(name, known)
    return f"did you mean '{close}'?" if close is not None else ""


def some_of(known: Iterable[str], tried: str, called: str, page: str) -> str:
    """A cure for a word that is near none of those there are: the likeliest of them first, and which page has all. `called`: the
    words before them."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(tried, names, 2, 0.5)
    listed = [*near, *(name for name in names if name not in near)]
    if len(names) <= FEW:
        return f"{called} {', '.join(listed)}"
    return f"{called} {', '.join(listed[: FEW - 2])} … `routesim docs {page}` has all {len(names)}"
