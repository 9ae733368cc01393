"""What a call of a chain, a group or a chord sends (rules/celery#6): each task of it as a call of its own, with what is to
follow it among its options.

The ids of all that is called are in it from the beginning (`numbered`); the order of what is sent is the order of the calls.
"""

from collections.abc import Callable, Iterator
from typing import Any

from routesim.celery.canvas.composing import callback_on, errback_on, steps_of
from routesim.celery.canvas.freezing import Freezing, frozen, prepared, without_header_chords
from routesim.celery.canvas.signatures import Canvas, Chain, Chord, Group, Options, Signature, id_of, linked, with_options
from routesim.named_tuples import NamedTuple

OWN_OF_CHAIN = ("group_id", "chord", "task_id", "link", "link_error", "root_id", "parent_id", "group_index")


class TaskCall(NamedTuple):
    """One task is sent."""

    task: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    options: Options


class ChordSize(NamedTuple):
    """So many tasks of this group must return before the body of its chord is called. Told just before the last is sent."""

    group: str
    size: int


class ChordBegins(NamedTuple):
    """The header of a chord is about to be sent: a backend that cannot count sends who will look after it."""

    group: str
    body: Canvas
    members: tuple[Canvas, ...]


Sending = TaskCall | ChordSize | ChordBegins


def called(canvas: Canvas, args: tuple[Any, ...], more: Options, reply_to: str, group_id: Callable[[], str]) -> Iterator[Sending]:
    """All that `canvas.apply_async(args, **more)` sends at once."""
    if isinstance(canvas, Signature):
        yield _call(canvas, args, more)
    elif isinstance(canvas, Group):
        yield from _call_group(canvas, args, more, reply_to, group_id)
    elif isinstance(canvas, Chain):
        yield from _call_chain(canvas, args, more, reply_to, group_id)
    else:
        yield from _call_chord(canvas, args, more, reply_to, group_id)


def merged(options: Options, more: Options) -> Options:
    """What a call says wins over what the signature says, but for the group."""
    given = {name: value for name, value in more.items() if value is not None and not (name == "group_id" and name in options)}
    return {**options, **given}


def _call(signature: Signature, args: tuple[Any, ...], more: Options) -> TaskCall:
    own = signature.args if signature.immutable else (*args, *signature.args)
    return TaskCall(signature.task, own, signature.kwargs, merged(signature.options, more))


def _call_group(
    group: Group, args: tuple[Any, ...], more: Options, reply_to: str, group_id: Callable[[], str]
) -> Iterator[Sending]:
    options = merged(group.options, more)
    id = options.pop("task_id", None) or group_id()
    options["group_id"] = id
    chord = options.pop("chord", None)
    options.pop("group_index", None)
    members = list(_members(group.tasks, Freezing(reply_to, options.get("root_id"), id)))
    for number, member in enumerate(members, 1):
        callback = chord if chord is not None else member.options.get("chord")
        if callback is not None and number == len(members):
            yield ChordSize(id, sum(_returning(each) for each in members))
        yield from called(member, args, {**options, "chord": callback}, reply_to, group_id)


def _members(tasks: tuple[Canvas, ...], whole: Freezing) -> Iterator[Canvas]:
    for place, task in enumerate(tasks):
        if isinstance(task, Group):
            yield from _members(task.tasks, whole)
        else:
            yield frozen(task, whole._replace(place=place))


def _returning(canvas: Canvas) -> int:
    """How many tasks of it return to the chord that it is a member of."""
    if isinstance(canvas, Signature):
        return 1
    if isinstance(canvas, Group):
        return sum(_returning(task) for task in canvas.tasks)
    if isinstance(canvas, Chord):
        return _returning(canvas.body)
    return next((size for task in reversed(canvas.tasks) if (size := _returning(task))), 0)


def _call_chain(
    chain: Chain, args: tuple[Any, ...], more: Options, reply_to: str, group_id: Callable[[], str]
) -> Iterator[Sending]:
    options = merged(chain.options, more)
    own = {name: options.pop(name, None) for name in OWN_OF_CHAIN}
    whole = Freezing(reply_to, own["root_id"], own["group_id"], own["chord"], own["group_index"])
    steps = prepared(
        _with_unrolled_chords(chain.tasks), whole, last_id=own["task_id"], args=args, errbacks=own["link_error"] or []
    )
    first, *rest = [without_header_chords(step) for step in steps]
    if own["link"]:
        *before, last = [first, *rest]
        first, *rest = [*before, linked(last, "link", own["link"])]
    # The next one is the last of the list, so that a worker takes it off its end.
    chain_option = [*options.pop("chain", ()), *reversed(rest)]
    yield from called(first, (), {**options, "chain": chain_option}, reply_to, group_id)


def _with_unrolled_chords(tasks: tuple[Canvas, ...]) -> tuple[Canvas, ...]:
    """A chord whose body is a chain that begins with a task calls that task alone; the rest are steps of the outer chain."""
    found: list[Canvas] = []
    for task in tasks:
        if isinstance(task, Chord) and _is_led_by_a_task(task.body):
            body = task.body
            steps = steps_of(body)
            others = {name: value for name, value in body.options.items() if name not in OWN_OF_CHAIN}
            found += _with_unrolled_chords((task._replace(body=with_options(steps[0], others)), *steps[1:]))
        elif isinstance(task, Chain):
            found += _with_unrolled_chords(task.tasks)
        else:
            found.append(task)
    return tuple(found)


def _is_led_by_a_task(body: Canvas) -> bool:
    return isinstance(body, Chain) and not isinstance(body.tasks[0], Group)


def _call_chord(
    chord: Chord, args: tuple[Any, ...], more: Options, reply_to: str, group_id: Callable[[], str]
) -> Iterator[Sending]:
    options = {name: value for name, value in merged(chord.options, more).items() if name != "task_id"}
    delay = {name: options.pop(name) for name in ("countdown", "eta") if options.get(name) is not None}
    id = id_of(chord.header) or group_id()
    body = _with_callbacks(chord.body, options.pop("link", []), options.pop("link_error", []))
    body = with_options(body, {name: value for name, value in options.items() if name != "parent_id" and value is not None})
    root = body.options.get("root_id")
    if isinstance(body, Chain):
        body = body._replace(tasks=_with_unrolled_chords(body.tasks))
    body = without_header_chords(frozen(body, Freezing(reply_to, root, id)))
    header = frozen(chord.header, Freezing(reply_to, root, id, body))
    yield ChordBegins(id, body, header.tasks)
    rest = {name: value for name, value in options.items() if name not in ("chain", "chord")}
    yield from _call_group(header, (*args, *chord.args), {**rest, **delay, "task_id": id}, reply_to, group_id)


def _with_callbacks(body: Canvas, links: list[Canvas], errbacks: list[Canvas]) -> Canvas:
    """What is linked to a chord is linked to its body."""
    body = callback_on(body, links)
    return errback_on(body, errbacks) if isinstance(body, Group) else linked(body, "link_error", errbacks)  # type: ignore[no-any-return]
