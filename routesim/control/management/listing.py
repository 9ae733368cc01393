"""Lists as the management API answers them: sorted, in pages, and with the columns that were asked for."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from routesim.control.http_messages import HttpError, HttpRequest
from routesim.named_tuples import NamedTuple
from routesim.patterns import InvalidPattern, UnreadablePattern, compiled

PAGE_SIZE, LARGEST_PAGE = 100, 500
Item = dict[str, Any]


class PageAsked(NamedTuple):
    """`names`: whether a name is one of those that are looked for."""

    number: int
    size: int
    names: Callable[[str], object]


def listed(request: HttpRequest, items: Iterable[Item], *sorts: str, pages: bool = False) -> Any:
    """`sorts`: by what, where the request does not say. `pages`: whether the request may ask for one page of it."""
    found = list(items)
    query = request.query
    by = [query["sort"]] if query.get("sort") else list(sorts)
    page = _page(query) if pages and "page" in query else None
    total = len(found)
    if page is not None:
        found = [item for item in found if page.names(str(item.get("name", "")))]
    found.sort(key=lambda item: [_order(_at(item, path)) for path in by])
    if query.get("sort_reverse") == "true":
        found.reverse()
    if page is None:
        return [with_columns(request, item) for item in found]
    number, size, _ = page
    filtered, pages_there = len(found), -(-len(found) // size)
    if number > max(pages_there, 1):
        raise HttpError(400, f"Page out of range, page: {number} page size: {size}, len: {filtered}", "page_out_of_range")
    shown = found[(number - 1) * size : number * size]
    return {
        "filtered_count": filtered, "item_count": len(shown), "items": [with_columns(request, item) for item in shown],
        "page": number, "page_count": pages_there, "page_size": size, "total_count": total,
    }  # fmt: skip


def with_columns(request: HttpRequest, item: Item) -> Item:
    """What was asked for of one item; `message_stats.publish` is a column too."""
    asked = request.query.get("columns")
    if not asked:
        return item
    found: Item = {}
    for path in asked.split(","):
        names = path.split(".")
        value = _at(item, path)
        if value is None and not _has(item, names):
            continue
        into = found
        for name in names[:-1]:
            into = into.setdefault(name, {})
        into[names[-1]] = value
    return found


def _page(query: Mapping[str, str]) -> PageAsked:
    number, size = query["page"], query.get("page_size", str(PAGE_SIZE))
    try:
        if not (number + size).isascii():
            raise ValueError
        page = PageAsked(int(number), int(size), _names(query.get("name", ""), expression=query.get("use_regex") == "true"))
    except (ValueError, InvalidPattern, UnreadablePattern):
        raise HttpError(400, "Pagination parameters are invalid") from None
    if page.number < 1 or not 1 <= page.size <= LARGEST_PAGE:
        said = page.size if "page_size" in query else "undefined"
        reason = f"Invalid pagination parameters: page number {page.number}, page size {said}"
        raise HttpError(400, reason, "invalid_pagination_parameters")
    return page


def _names(wanted: str, *, expression: bool) -> Callable[[str], object]:
    """Whether a name is looked for, in small or capital letters."""
    if not expression:
        return lambda name: wanted.lower() in name.lower()
    try:
        return compiled(f"(?i){wanted}")
    except UnreadablePattern:  # so are those whose time is bounded only without the option
        small = compiled(wanted.lower())
        return lambda name: small(name.lower())


def _at(item: Any, path: str) -> Any:
    for name in path.split("."):
        item = item.get(name) if isinstance(item, dict) else None
    return item


def _has(item: Any, names: list[str]) -> bool:
    for name in names:
        if not isinstance(item, dict) or name not in item:
            return False
        item = item[name]
    return True


def _order(value: Any) -> tuple[int, Any]:
    """As Erlang orders terms: numbers, what is not there, the rest."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return 0, value
    if value is None or isinstance(value, bool):
        return 1, str(value)
    return 2, value.encode("utf-8", "surrogateescape") if isinstance(value, str) else str(value).encode()


def depth_of(value: Any) -> int:
    """How many levels of objects and lists there are."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
