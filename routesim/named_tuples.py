"""`NamedTuple`, as `typing` has it, whose classes are made in a sixth of the time.

A run declares some two hundred of them, and `typing.NamedTuple` compiles the source of a constructor for each: that was an eighth
of the start-up of `routesim run`. Here a constructor is compiled once for each number of fields, and then only takes their names.
What a class and its values can do is the same (`tests/test_named_tuples.py` holds both against each other); for type checkers it
is typing's.
"""

from collections.abc import Iterable
from operator import itemgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    try:
        from _collections import _tuplegetter  # what `collections.namedtuple` reads a field with, where there is one
    except ImportError:  # pragma: no cover

        def _tuplegetter(index: int, doc: str) -> property:
            return property(itemgetter(index), doc=doc)

    class _Methods(tuple):
        """What every named tuple can do; `collections.namedtuple` writes the same into each class."""

        __slots__ = ()
        _fields = ()
        _field_defaults = {}

        @classmethod
        def _make(cls, values: Iterable[Any]) -> Any:
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **changed: Any) -> Any:
            made = tuple.__new__(type(self), map(changed.pop, self._fields, self))
            if changed:
                raise TypeError(f"Got unexpected field names: {list(changed)!r}")
            return made

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            named = ", ".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({named})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

    _constructors = {}  # by the number of fields
    _readers = []  # by a field's index

    def _constructor(fields: tuple[str, ...], defaults: tuple[Any, ...]) -> FunctionType:
        pattern = _constructors.get(len(fields))
        if pattern is None:
            taken = "".join(f"_{index}, " for index in range(len(fields)))
            names = {"_new": tuple.__new__, "__builtins__": {}, "__name__": __name__}
            pattern = _constructors[len(fields)] = eval(f"lambda _cls, {taken}: _new(_cls, ({taken}))", names)
            _readers.extend(_tuplegetter(index, f"Alias for field number {index}") for index in range(len(_readers), len(fields)))
        code = pattern.__code__.replace(co_varnames=("_cls", *fields), co_name="__new__", co_qualname="__new__")
        return FunctionType(code, pattern.__globals__, "__new__", defaults)

    def _annotated(namespace: dict[str, Any]) -> tuple[str, ...]:
        """The names of the fields. From Python 3.14 on a class's annotations are not evaluated until they are asked for."""
        if "__annotations__" not in namespace and ("__annotate_func__" in namespace or "__annotate__" in namespace):
            import annotationlib  # pragma: no cover

            annotate = annotationlib.get_annotate_from_class_namespace(namespace)
            return tuple(annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF))
        return tuple(namespace.get("__annotations__", ()))

    class _Maker(type):
        """Makes a plain class of what is declared: it is nobody's metaclass afterwards."""

        def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
            fields = _annotated(namespace)
            defaults = {field: namespace[field] for field in fields if field in namespace}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"{name}: a field without a default follows one with a default")
            namespace["__new__"] = _constructor(fields, tuple(defaults.values()))
            namespace.update(zip(fields, _readers, strict=False))
            namespace["__slots__"] = ()
            namespace["_fields"] = namespace["__match_args__"] = fields
            namespace["_field_defaults"] = defaults
            return type(name, tuple(_Methods if base is _Declared else base for base in bases), namespace)

    _Declared = type.__new__(_Maker, "NamedTuple", (), {})

    class _NamedTuple:
        """Stands in a class's bases for what `_Maker` makes of it."""

        def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
            return (_Declared,)

    NamedTuple = _NamedTuple()
