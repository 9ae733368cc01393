"""What there is to say of the files of another program: what is wrong in them, and what of them is not carried over."""

import re

from routesim.diagnostics import Diagnostic
from routesim.scenario.definitions.list_form import Path
from routesim.scenario.definitions.unsimulated import LEFT_OUT
from routesim.scenario.imports.documents import Document


class Notes:
    """`left_out`: what could not be carried over and why, a sentence each. `open_marks`: what in a text is only known when
    the program runs, as a regular expression; None: nothing is."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.left_out: list[str] = []
        self.open_marks: re.Pattern[str] | None = None

    @property
    def failed(self) -> bool:
        return any(item.severity == "error" for item in self.diagnostics)

    def note(self, severity: str, code: str, message: str, document: Document, path: Path, cure: str = "") -> None:
        place = document.place(path)
        self.diagnostics.append(document.source.diagnostic(severity, code, message, *place, cure))

    def leave_out(self, sentence: str, document: Document | None = None, path: Path = ()) -> None:
        """That something is not carried over. `document`: messages would go another way with it, so every command says it."""
        if sentence in self.left_out:
            return
        self.left_out.append(sentence)
        if document is not None:
            self.note("warning", LEFT_OUT, sentence, document, path)

    def open_in(self, value: object) -> str | None:
        """What of a value is only known when the program runs."""
        found = self.open_marks.search(value) if self.open_marks is not None and isinstance(value, str) else None
        return found.group() if found is not None else None
