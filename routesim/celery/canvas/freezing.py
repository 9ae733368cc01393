"""What each part of a canvas is told before it is sent: its ids, the whole that it belongs to, who waits for the results."""

from collections.abc import Callable
from typing import Any

from routesim.celery.canvas.composing import errback_on, unrolled
from routesim.celery.canvas.signatures import Canvas, Chain, Chord, Group, Options, Signature, id_of, with_options
from routesim.named_tuples import NamedTuple


class Freezing(NamedTuple):
    """What a member is told of the whole that it is part of, and who waits for the results."""

    reply_to: str
    root_id: str | None = None
    group_id: str | None = None
    chord: Canvas | None = None
    place: int | None = None


def numbered(canvas: Canvas, task_id: Callable[[Signature], str], group_id: Callable[[], str]) -> Any:
    """The same with an id for each task and each group that has none, in the order in which they are written."""

    def within(part: Canvas) -> Any:
        if isinstance(part, Signature):
            return part if id_of(part) else with_options(part, {"task_id": task_id(part)})
        if isinstance(part, Chord):
            return part._replace(header=within(part.header), body=within(part.body))
        found = part._replace(tasks=tuple(within(task) for task in part.tasks))
        return found if isinstance(part, Chain) or id_of(part) else with_options(found, {"task_id": group_id()})

    return within(canvas)


def prepared(
    tasks: tuple[Canvas, ...], whole: Freezing, *, last_id: str | None = None, args: tuple[Any, ...] = (),
    errbacks: list[Canvas] | None = None,
) -> list[Canvas]:  # fmt: skip
    """The steps of a chain, frozen: only the last one belongs to the whole that the chain is a member of."""
    steps = [unrolled(task) for task in tasks]
    if args:
        steps[0] = _with_args(steps[0], args)
    found: list[Canvas] = []  # from the last one on
    for number, given in enumerate(reversed(steps)):
        step: Canvas = given
        if isinstance(step, Group) and found:
            body = found.pop()
            step = Chord(step, body, {"task_id": id_of(body)})
        mine = whole if number == 0 else Freezing(whole.reply_to, whole.root_id)
        step = frozen(step, mine, id=last_id if number == 0 else None)
        found.append(errback_on(step, errbacks or []))
    return found[::-1]


def _with_args(step: Canvas, args: tuple[Any, ...]) -> Canvas:
    if isinstance(step, Signature):
        return step if step.immutable else step._replace(args=(*args, *step.args))
    return step._replace(args=(*args, *step.args)) if isinstance(step, Chord) else step


def result_of(canvas: Canvas) -> str | None:
    """The id under which its result will stand."""
    if isinstance(canvas, Chain):
        return result_of(canvas.tasks[-1])
    return result_of(canvas.body) if isinstance(canvas, Chord) else id_of(canvas)


def frozen(canvas: Canvas, whole: Freezing, *, id: str | None = None) -> Any:
    """With all that its tasks are to know of the whole. What has an id keeps it."""
    if isinstance(canvas, Signature):
        return canvas._replace(options=_frozen_options(canvas.options, whole, id))
    if isinstance(canvas, Group):
        tasks = tuple(frozen(task, whole._replace(place=place)) for place, task in enumerate(_flat(canvas.tasks)))
        root = {"root_id": whole.root_id} if whole.root_id else {}
        return with_options(canvas._replace(tasks=tasks), {**root, **_of_whole(whole, {})})
    if isinstance(canvas, Chain):
        steps = prepared(canvas.tasks, whole, last_id=id)
        return Chain(tuple(steps), {**canvas.options, "task_id": result_of(steps[-1])})
    header = frozen(canvas.header, Freezing(whole.reply_to, whole.root_id, None, canvas.body))
    body = frozen(canvas.body, whole, id=id)
    return Chord(header, body, {**canvas.options, "task_id": id_of(header)}, canvas.args)


def _flat(tasks: tuple[Canvas, ...]) -> list[Canvas]:
    """Groups within groups dissolved, the way a header is: their tasks come first, in reverse."""
    waiting, found = list(tasks), list[Canvas]()
    while waiting:
        task = waiting.pop(0)
        if isinstance(task, Group):
            waiting[:0] = reversed(task.tasks)
        else:
            found.append(task)
    return found


def _frozen_options(options: Options, whole: Freezing, id: str | None) -> Options:
    found = {"task_id": id, **options, **({"root_id": whole.root_id} if whole.root_id else {})}
    found.setdefault("reply_to", whole.reply_to)
    return {**found, **_of_whole(whole, options)}


def _of_whole(whole: Freezing, options: Options) -> Options:
    found: Options = {}
    if whole.group_id:
        found["group_id"] = options.get("group_id", whole.group_id)
    if whole.chord is not None:
        found["chord"] = whole.chord
    if whole.place is not None:
        found["group_index"] = whole.place
    return found


def without_header_chords(canvas: Canvas) -> Any:
    """A chord that waits has its body once, not in each task of its header as well."""
    if isinstance(canvas, Chord):
        header = _without_chord(canvas.header)
        return canvas._replace(header=without_header_chords(header), body=without_header_chords(canvas.body))
    if isinstance(canvas, Signature):
        return canvas
    return canvas._replace(tasks=tuple(without_header_chords(task) for task in canvas.tasks))


def _without_chord(canvas: Canvas) -> Any:
    options = {name: value for name, value in canvas.options.items() if name != "chord"}
    if isinstance(canvas, Chord):
        return canvas._replace(options=options, body=_without_chord(canvas.body))
    if isinstance(canvas, Group):
        return canvas._replace(options=options, tasks=tuple(_without_chord(task) for task in canvas.tasks))
    if isinstance(canvas, Chain):
        return canvas._replace(options=options, tasks=(*canvas.tasks[:-1], _without_chord(canvas.tasks[-1])))
    return canvas._replace(options=options)
