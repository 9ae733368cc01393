"""Canvases as they are written: `a | b`, callbacks and errbacks linked to them; and what is asked of one before it is called."""

from collections.abc import Iterator
from typing import Any

from routesim.celery.canvas.signatures import Canvas, Chain, Chord, Group, Signature, id_of, linked


def chained(parts: list[Canvas]) -> Canvas:
    """`a | b | c`: a group with something behind it becomes a chord, and what follows a chord its body's next step."""
    done: list[Canvas] = []
    for number, part in enumerate(parts, 1):
        first, *rest = steps_of(unrolled(part))
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
    right = unrolled(right)
    if isinstance(left, Chord) and not isinstance(right, (Group, Chain)):
        return left._replace(body=joined(left.body, right))
    if not isinstance(left, Chain):
        return Chain((left, *steps_of(right)))
    done = steps_of(left)
    for step in steps_of(right):
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


def steps_of(part: Canvas) -> list[Canvas]:
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


def unrolled(part: Canvas) -> Canvas:
    """A group of one is that one."""
    return part.tasks[0] if isinstance(part, Group) and len(part.tasks) == 1 else part


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
