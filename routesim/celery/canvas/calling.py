"""What a call of a chain, a group or a chord sends (rules/celery#6): each task of it as a call of its own, with what is to
follow it among its options.

The ids of all that is called are in it from the beginning (`numbered`); the order of what is sent is the order of the calls.
"""

from collections.abc import Callable, Iterator
from typing import Any

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


class Freezing(NamedTuple):
    """What a member is told of the whole that it is part of, and who waits for the results."""

    reply_to: str
    root_id: str | None = None
    group_id: str | None = None
    chord: Canvas | None = None
    place: int | None = None


# As it is written ----------------------------------------------------------------------------------------------------


def chained(parts: list[Canvas]) -> Canvas:
    """`a | b | c`: a group with something behind it becomes a chord, and what follows a chord its body's next step."""
    done: list[Canvas] = []
    for number, part in enumerate(parts, 1):
        first, *rest = _steps_of(_unrolled(part))
        if not done and isinstance(first, Group):
            found: Canvas = first
            for following in (*rest, *parts[number:]):
                found = joined(found, following)
            return found
        for step in (first, *rest):
            _chain_on(done, step)
    return Chain(tuple(done))


def joined(left: Canvas, right: Canvas) -> Canvas:
    """`left | right`."""
    if isinstance(left, Group):
        return Chord(left, right)
    right = _unrolled(right)
    if isinstance(left, Chord) and not isinstance(right, (Group, Chain)):
        return left._replace(body=joined(left.body, right))
    if not isinstance(left, Chain):
        return Chain((left, *_steps_of(right)))
    done = _steps_of(left)
    for step in _steps_of(right):
        _chain_on(done, step)
    return Chain(tuple(done))


def _chain_on(steps: list[Canvas], step: Canvas) -> None:
    last = steps[-1] if steps else None
    if isinstance(last, Chord) and not isinstance(step, Chord):
        steps[-1] = last._replace(body=joined(last.body, step))
    elif isinstance(last, Group) and not isinstance(step, Group):
        steps[-1] = Chord(last, step)
    else:
        steps.append(step)


def _steps_of(part: Canvas) -> list[Canvas]:
    """What a chain within a chain adds to it: what is linked to it is linked to its steps."""
    if not isinstance(part, Chain):
        return [part]
    errbacks, links = part.options.get("link_error", []), part.options.get("link", [])
    steps = [errback_on(step, errbacks) for step in part.tasks]
    return [*steps[:-1], callback_on(steps[-1], links)]


def callback_on(canvas: Canvas, links: list[Canvas]) -> Any:
    """`canvas.link(…)`: of a chord its body's, of a group its first task's, which gets no results."""
    if isinstance(canvas, Chord):
        return canvas._replace(body=callback_on(canvas.body, links))
    if isinstance(canvas, Group):
        first, *others = canvas.tasks
        fixed: list[Canvas] = [each._replace(immutable=True) if isinstance(each, Signature) else each for each in links]
        return canvas._replace(tasks=(callback_on(first, fixed), *others))
    return linked(canvas, "link", links)


def errback_on(canvas: Canvas, errbacks: list[Canvas]) -> Any:
    """`canvas.link_error(…)`: of a group each task's; of a chord its body's, and those of chords in its header."""
    if isinstance(canvas, Group):
        return canvas._replace(tasks=tuple(errback_on(task, errbacks) for task in canvas.tasks))
    if isinstance(canvas, Chord):
        tasks = tuple(errback_on(task, errbacks) if isinstance(task, Chord) else task for task in canvas.header.tasks)
        return canvas._replace(header=canvas.header._replace(tasks=tasks), body=errback_on(canvas.body, errbacks))
    return linked(canvas, "link_error", errbacks)


def _unrolled(part: Canvas) -> Canvas:
    """A group of one is that one."""
    return part.tasks[0] if isinstance(part, Group) and len(part.tasks) == 1 else part


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


def signatures_of(canvas: Canvas) -> Iterator[Signature]:
    """The calls of single tasks in it, with those that are linked to them."""
    for name in ("link", "link_error"):
        for each in canvas.options.get(name, ()):
            yield from signatures_of(each)
    if isinstance(canvas, Signature):
        yield canvas
    else:
        parts = (*canvas.header.tasks, canvas.body) if isinstance(canvas, Chord) else canvas.tasks
        for part in parts:
            yield from signatures_of(part)


def groups_of(canvas: Canvas) -> Iterator[str]:
    """The ids of the groups in it."""
    if isinstance(canvas, Group) and id_of(canvas):
        yield str(id_of(canvas))
    if not isinstance(canvas, Signature):
        for part in (canvas.header, canvas.body) if isinstance(canvas, Chord) else canvas.tasks:
            yield from groups_of(part)


def has_chord(canvas: Canvas) -> bool:
    """Whether it needs a backend that can count or look: a group with something behind it in a chain does, too."""
    links = [each for name in ("link", "link_error") for each in canvas.options.get(name, ())]
    if isinstance(canvas, Chord) or any(has_chord(each) for each in links):
        return True
    if isinstance(canvas, Signature):
        return False
    steps = canvas.tasks
    follows = isinstance(canvas, Chain) and any(isinstance(step, Group) for step in steps[:-1])
    return follows or any(has_chord(step) for step in steps)


# As it is sent -------------------------------------------------------------------------------------------------------


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
    first, *rest = [_without_header_chords(step) for step in steps]
    if own["link"]:
        *before, last = [first, *rest]
        first, *rest = [*before, linked(last, "link", own["link"])]
    # The next one is the last of the list, so that a worker takes it off its end.
    chain_option = [*options.pop("chain", ()), *reversed(rest)]
    yield from called(first, (), {**options, "chain": chain_option}, reply_to, group_id)


def prepared(
    tasks: tuple[Canvas, ...], whole: Freezing, *, last_id: str | None = None, args: tuple[Any, ...] = (),
    errbacks: list[Canvas] | None = None,
) -> list[Canvas]:  # fmt: skip
    """The steps of a chain, frozen: only the last one belongs to the whole that the chain is a member of."""
    steps = [_unrolled(task) for task in tasks]
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


def _with_unrolled_chords(tasks: tuple[Canvas, ...]) -> tuple[Canvas, ...]:
    """A chord whose body is a chain that begins with a task calls that task alone; the rest are steps of the outer chain."""
    found: list[Canvas] = []
    for task in tasks:
        if isinstance(task, Chord) and _is_led_by_a_task(task.body):
            body = task.body
            steps = _steps_of(body)
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
    body = _without_header_chords(frozen(body, Freezing(reply_to, root, id)))
    header = frozen(chord.header, Freezing(reply_to, root, id, body))
    yield ChordBegins(id, body, header.tasks)
    rest = {name: value for name, value in options.items() if name not in ("chain", "chord")}
    yield from _call_group(header, (*args, *chord.args), {**rest, **delay, "task_id": id}, reply_to, group_id)


def _with_callbacks(body: Canvas, links: list[Canvas], errbacks: list[Canvas]) -> Canvas:
    """What is linked to a chord is linked to its body."""
    body = callback_on(body, links)
    return errback_on(body, errbacks) if isinstance(body, Group) else linked(body, "link_error", errbacks)  # type: ignore[no-any-return]


# Ids and who waits ---------------------------------------------------------------------------------------------------


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


def _without_header_chords(canvas: Canvas) -> Any:
    """A chord that waits has its body once, not in each task of its header as well."""
    if isinstance(canvas, Chord):
        header = _without_chord(canvas.header)
        return canvas._replace(header=_without_header_chords(header), body=_without_header_chords(canvas.body))
    if isinstance(canvas, Signature):
        return canvas
    return canvas._replace(tasks=tuple(_without_header_chords(task) for task in canvas.tasks))


def _without_chord(canvas: Canvas) -> Any:
    options = {name: value for name, value in canvas.options.items() if name != "chord"}
    if isinstance(canvas, Chord):
        return canvas._replace(options=options, body=_without_chord(canvas.body))
    if isinstance(canvas, Group):
        return canvas._replace(options=options, tasks=tuple(_without_chord(task) for task in canvas.tasks))
    if isinstance(canvas, Chain):
        return canvas._replace(options=options, tasks=(*canvas.tasks[:-1], _without_chord(canvas.tasks[-1])))
    return canvas._replace(options=options)
