"""Signatures: what may be called, as values, and in the form in which they travel inside messages (celery/canvas.py)."""

from typing import Any, TypeAlias

from routesim.named_tuples import NamedTuple

Options = dict[str, Any]
LINKS = ("link", "link_error", "chain")  # options that hold signatures, in lists
NO_OPTIONS: Options = {}


class Signature(NamedTuple):
    """A call of one task. `immutable`: it takes no result of the one before it."""

    task: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    options: Options = NO_OPTIONS
    immutable: bool = False


class Chain(NamedTuple):
    """One after the other, each with the result of the one before it."""

    tasks: tuple["Canvas", ...]
    options: Options = NO_OPTIONS


class Group(NamedTuple):
    """All at once. Its option `task_id` is the id of the group."""

    tasks: tuple["Canvas", ...]
    options: Options = NO_OPTIONS


class Chord(NamedTuple):
    """A group, and what is called with its results when all of it has succeeded. `args` go before those of the header's tasks."""

    header: Group
    body: "Canvas"
    options: Options = NO_OPTIONS
    args: tuple[Any, ...] = ()


Canvas: TypeAlias = Signature | Chain | Group | Chord


def with_options(canvas: Canvas, options: Options) -> Any:
    """The same with these options besides."""
    return canvas._replace(options={**canvas.options, **options})


def linked(canvas: Canvas, name: str, more: list[Canvas]) -> Any:
    """The same with more in its option `link` or `link_error`, each once."""
    there: list[Canvas] = canvas.options.get(name, [])
    more = [each for each in more if each not in there]
    return with_options(canvas, {name: [*there, *more]}) if more else canvas


def id_of(canvas: Canvas) -> str | None:
    found: str | None = canvas.options.get("task_id")
    return found


# In messages ---------------------------------------------------------------------------------------------------------


def as_json(canvas: Canvas) -> dict[str, Any]:
    """As it stands in the body of a message, or among the options of another one."""
    if isinstance(canvas, Signature):
        return _form(canvas.task, list(canvas.args), canvas.kwargs, canvas, None, canvas.immutable)
    if isinstance(canvas, Chord):
        kwargs = {"kwargs": {}, "header": as_json(canvas.header), "body": as_json(canvas.body)}
        return _form("celery.chord", list(canvas.args), kwargs, canvas, "chord")
    kind = "chain" if isinstance(canvas, Chain) else "group"
    return _form(f"celery.{kind}", [], {"tasks": [as_json(task) for task in canvas.tasks]}, canvas, kind)


def _form(task: str, args: list[Any], kwargs: Any, canvas: Canvas, kind: str | None, immutable: bool = False) -> dict[str, Any]:
    return {
        "task": task, "args": args, "kwargs": kwargs, "options": _plain(canvas.options), "subtask_type": kind,
        "immutable": immutable,
    }  # fmt: skip


def _plain(options: Options) -> Options:
    found = dict(options)
    for name in LINKS:
        if found.get(name) is not None:
            found[name] = [as_json(each) for each in found[name]]
    if found.get("chord") is not None:
        found["chord"] = as_json(found["chord"])
    return found


def from_json(form: Any) -> Canvas:
    """What such a form says. Raises `ValueError` for what is none."""
    if not isinstance(form, dict) or not isinstance(form.get("task"), str):
        raise ValueError("no signature")
    kwargs, options = _table(form.get("kwargs")), _read(_table(form.get("options")))
    kind, args = form.get("subtask_type"), tuple(_list(form.get("args")))
    if kind == "chord":
        header = kwargs.get("header")
        group = Group(tuple(from_json(each) for each in header)) if isinstance(header, list) else from_json(header)
        if not isinstance(group, Group):
            raise ValueError("the header of a chord is a group")
        return Chord(group, from_json(kwargs.get("body")), options, args)
    if kind in ("chain", "group"):
        tasks = tuple(from_json(each) for each in _list(kwargs.get("tasks")))
        return Chain(tasks, options) if kind == "chain" else Group(tasks, options)
    return Signature(form["task"], args, kwargs, options, bool(form.get("immutable")))


def _read(options: Options) -> Options:
    found = {name: value for name, value in options.items() if value is not None}
    for name in LINKS:
        if name in found:
            found[name] = [from_json(each) for each in _list(found[name])]
    if "chord" in found:
        found["chord"] = from_json(found["chord"])
    return found


def _table(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("no mapping")
    return value


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError("no list")
    return value
