"""What `routesim explain error` answers: the page of a code, be it routesim's own or AMQP's."""

from routesim.diagnostics import did_you_mean
from routesim.explain.answer import Answer, CannotExplain
from routesim.explain.pages.errors import PAGES
from routesim.explain.pages.published import how_often
from routesim.explain.pages.reply_codes import REPLIES
from routesim.explain.pages.rules import Page
from routesim.replies import CHANNEL_CODES, REPLY_NAMES
from routesim.tables import Cell, Section

WHERE = "a code stands in brackets in what routesim prints, such as unknown-queue; AMQP has numbers and names, such as 404"


def explain_error(code: str) -> Answer:
    """`code`: one of routesim's (`unknown-queue`), or AMQP's by number or name (`406`, `PRECONDITION_FAILED`)."""
    wanted = code.strip().lower().replace("_", "-")
    page = PAGES.get(wanted)
    if page is not None:
        return _answer(wanted, f"routesim: {wanted}", page)
    for number, name in REPLY_NAMES.items():
        if wanted in (str(number), name.lower().replace("_", "-")):
            closes = (
                "a reply to the publisher"
                if number == 312
                else "closes the channel"
                if number in CHANNEL_CODES
                else "closes the connection"
            )
            return _answer(str(number), f"AMQP {number} {name}: {closes}", REPLIES[number])
    known = [*PAGES, *(str(number) for number in REPLIES), *(name.lower().replace("_", "-") for name in REPLY_NAMES.values())]
    hint = did_you_mean(wanted, known)
    raise CannotExplain(f"no error is called '{code}'; {_said_elsewhere(code) or hint or WHERE}")


def _said_elsewhere(code: str) -> str:
    """Where a word is explained that is no error: an event of a trace, or a word of AMQP."""
    from routesim.explain.pages.documents import place_of_word

    word = code.strip().lower()
    return f"`routesim explain {word}` says what it means" if place_of_word(code) else ""


def _answer(code: str, headline: str, page: Page) -> Answer:
    rows = [
        (Cell("means"), Cell(page.means)),
        (Cell("example"), Cell(page.example.replace("\n", "   "))),
        (Cell("cure"), Cell(page.cure)),
        (Cell("found"), Cell(how_often(code))),
        (Cell("ignore it"), Cell(page.ignore)),
    ]
    return Answer(headline, (Section("", ("", ""), [row for row in rows if row[1].text]),), (), {"code": code, **page._asdict()})
