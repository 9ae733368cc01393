"""What may be called: from the fields that were read to the values of `celery.signatures`."""

from typing import Any

from routesim.celery.canvas.composing import callback_on, chained, errback_on
from routesim.celery.canvas.signatures import Canvas, Chord, Group, Options, Signature
from routesim.scenario.format.canvases import OF_ONE_CALL
from routesim.scenario.format.shapes import Fields

IN_SECONDS = ("countdown", "expires", "time_limit", "soft_time_limit")
OF_CALLS = (*OF_ONE_CALL, "eta", "delivery_mode")


def canvas_of(given: Any) -> Canvas:
    """One that was read by `format.canvases.CANVAS`, as Celery's operators put it together."""
    if isinstance(given, str):
        return Signature(str(given))
    if "chain" in given:
        return _linked(chained(members_of(given["chain"])), given)
    if "group" in given:
        return Group(tuple(members_of(given["group"])))
    if "chord" in given:
        header, body = given["chord"].get("header", ()), given["chord"].get("body", "")
        return _linked(Chord(Group(tuple(members_of(header))), canvas_of(body)), given)
    options = options_of(given)
    if "id" in given:
        options["task_id"] = str(given["id"])
    arguments = {str(name): value for name, value in given.get("kwargs", {}).items()}
    found = Signature(str(given.get("task", "")), tuple(given.get("args", ())), arguments, options, given.get("immutable", False))
    return _linked(found, given)


def members_of(given: list[Any]) -> list[Canvas]:
    """Those of a list, each as often as it says."""
    return [canvas_of(each) for each in given for _ in range(each.get("count", 1) if isinstance(each, Fields) else 1)]


def options_of(given: Fields) -> Options:
    """The options of a call as Celery spells them."""
    found: Options = {}
    for name in OF_CALLS:
        if name in given:
            value = given[name]
            found[name] = seconds(value) if name in IN_SECONDS else str(value) if isinstance(value, str) else value
    return found


def seconds(ms: int) -> float:
    return ms // 1000 if ms % 1000 == 0 else ms / 1000


def _linked(canvas: Canvas, given: Fields) -> Canvas:
    return errback_on(callback_on(canvas, members_of(given.get("link", []))), members_of(given.get("link_error", [])))  # type: ignore[no-any-return]
