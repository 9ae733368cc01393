"""What `routesim docs` does once its command line is understood."""

from routesim.cli.shared.exits import OK, UsageError
from routesim.cli.shared.output import is_terminal, opened, style_of
from routesim.explain.answer import CannotExplain
from routesim.explain.pages import documents
from routesim.text import encoding_of, fitted


def read(topic: str) -> int:
    """A page or a part of it: drawn on a terminal, else as plain text."""
    try:
        found = documents.part(topic)
    except CannotExplain as problem:
        raise UsageError(str(problem)) from None
    text = documents.readable(found)
    with opened(None) as out:
        if is_terminal(out):
            from routesim.report.answers.markdown import write

            write(out, text, style_of(out, "table"))
        else:
            out.write(fitted(text, encoding_of(out)))
    return OK


def find(word: str, topic: str) -> int:
    """Where a word stands; status 1 where it stands nowhere."""
    from routesim.cli.handlers.explaining import answered

    answered(lambda: documents.search(word, topic), None)
    return OK
