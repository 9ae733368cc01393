"""Sections of rows as tables of a page."""

from routesim.report.html.markup import Markup, element
from routesim.tables import Section

FOLLOWED = frozenset({"queue", "consumer", "exchange", "message", "task"})  # columns of names that the page can follow


def table(section: Section) -> Markup:
    if not section.columns:
        return element("pre", Markup("\n".join(element("span", row[0].text, class_=row[0].tone) for row in section.rows)))
    right = [name in section.right for name in section.columns]
    head = element("tr", *(
        element("th", name, scope="col", class_="number" if number else None) if name else element("td")
        for name, number in zip(section.columns, right, strict=True)
    ))  # fmt: skip
    rows = [
        element("tr", *(
            element(
                "td", cell.text, class_=" ".join(filter(None, ("number" if number else "", cell.tone))) or None,
                data_follow=name in FOLLOWED,
            )
            for cell, number, name in zip(row, right, section.columns, strict=False)
        ))
        for row in section.rows
    ]  # fmt: skip
    body = element("table", element("thead", head), element("tbody", *rows))
    return element("div", body, class_="scrolls", tabindex=0, role="region", aria_label=f"{section.title}, scrolls sideways")
