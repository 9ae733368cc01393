"""The package's `NamedTuple` does what `typing`'s does: for an example of each form, and for every class that the package declares."""

import copy
import importlib
import inspect
import pickle
import pkgutil
import re
import typing
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

import routesim
from routesim import named_tuples

T = TypeVar("T")


class Plain(named_tuples.NamedTuple):
    """A place."""

    name: str
    line: int = 1
    column: int = 2

    @property
    def shown(self) -> str:
        return f"{self.name}:{self.line}"


class Single(named_tuples.NamedTuple):
    name: str


class Empty(named_tuples.NamedTuple):
    pass


class Of(named_tuples.NamedTuple, Generic[T]):
    held: T
    number: int = 0


def twin(declared: type) -> Any:
    """The same class as `typing` makes it."""
    body = {
        name: value
        for name, value in vars(declared).items()
        if name not in {*declared._fields, "__new__", "__slots__", "_fields", "_field_defaults", "__match_args__"}
    }
    body["__annotations__"] = dict(declared.__annotations__)
    body.update(declared._field_defaults)
    bases = tuple(base for base in declared.__orig_bases__ if not isinstance(base, named_tuples._NamedTuple))
    return typing.types.new_class(declared.__name__, (typing.NamedTuple, *bases), {}, lambda space: space.update(body))


def all_declared() -> list[type]:
    found = {Plain, Single, Empty, Of}
    for module in pkgutil.walk_packages(routesim.__path__, "routesim."):
        if module.name.endswith("__main__"):
            continue
        try:
            imported = importlib.import_module(module.name)
        except ImportError:  # of an extra that is not installed
            continue
        found |= {
            value
            for value in vars(imported).values()
            if isinstance(value, type) and named_tuples._Methods in value.__bases__  # not what only inherits from a declared one
        }
    return sorted(found, key=lambda declared: (declared.__module__, declared.__qualname__))


@pytest.mark.parametrize("declared", all_declared(), ids=lambda declared: f"{declared.__module__}.{declared.__qualname__}")
def test_a_class_is_as_typing_makes_it(declared: Any) -> None:
    same = twin(declared)
    assert type(declared) is type
    for name in ("_fields", "_field_defaults", "__match_args__", "__slots__", "__doc__"):
        assert getattr(declared, name) == getattr(same, name) or (name == "__doc__" and declared.__doc__ is None), name
    assert str(inspect.signature(declared)).split(" ->")[0] == untyped(same)
    values = tuple(object() for _ in declared._fields)
    ours, theirs = declared(*values), same(*values)
    assert ours == theirs == values == declared(**dict(zip(declared._fields, values, strict=True)))
    assert [getattr(ours, field) for field in declared._fields] == list(values)
    if declared.__repr__ is named_tuples._Methods.__repr__:
        assert repr(ours) == repr(theirs)
    assert ours._asdict() == theirs._asdict()
    assert declared._make(values) == same._make(values)
    assert not hasattr(ours, "__dict__") or hasattr(theirs, "__dict__")
    if values:
        changed = {declared._fields[-1]: "changed"}
        assert ours._replace(**changed) == theirs._replace(**changed)
    required = len(values) - len(declared._field_defaults)
    if required:
        for arguments in (values[: required - 1], (*values, None)):
            for made in (declared, same):
                with pytest.raises(TypeError):
                    made(*arguments)


def untyped(made: Any) -> str:
    signature = inspect.signature(made)
    bare = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


@pytest.mark.parametrize("value", [Plain("a"), Plain("a", column=7), Single("b"), Empty(), Of(3)])
def test_values_are_copied_and_pickled(value: Any) -> None:
    for made in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert made == value
        assert type(made) is type(value)


def test_what_is_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="argument 'row'"):
        Plain("a", row=1)
    with pytest.raises(TypeError, match=r"Got unexpected field names: \['row'\]"):
        Plain("a")._replace(row=1)
    with pytest.raises(TypeError, match="Expected 3 arguments, got 1"):
        Plain._make(["a"])
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'name'"):
        Plain()
    with pytest.raises(AttributeError):
        Plain("a").name = "b"
    with pytest.raises(AttributeError):
        Plain("a").row = 1


def test_a_field_without_a_default_after_one_with_a_default_is_refused() -> None:
    with pytest.raises(TypeError, match="a field without a default follows one with a default"):

        class Wrong(named_tuples.NamedTuple):
            name: str = ""
            line: int


def test_a_named_tuple_is_matched_by_position_and_has_its_own_methods() -> None:
    match Plain("a", 4):
        case Plain(name, line, column=2):
            assert (name, line) == ("a", 4)
        case _:
            raise AssertionError
    assert Plain("a", 4).shown == "a:4"
    assert Of[int](3).held == 3


def test_it_is_the_one_that_the_package_uses() -> None:
    files = Path(routesim.__file__).parent.rglob("*.py")
    typings = [
        path.name for path in files if re.search(r"^from typing import.*\bNamedTuple\b", path.read_text(encoding="utf-8"), re.M)
    ]
    assert typings == []  # but for type checkers, which is indented
