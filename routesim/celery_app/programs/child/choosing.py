"""The module of a program, what is meant in it, and what is answered about it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any

from routesim.celery_app.child.answering import CannotLoad, last_line
from routesim.celery_app.child.finding_modules import NAMES_SHOWN, is_missing, leave_out_here, look_here, modules_near
from routesim.celery_app.programs.child.declaration_log import DeclarationLog


def vars_of(value: Any) -> Mapping[str, Any]:
    return vars(value) if hasattr(value, "__dict__") else {}


def module_of(name: str, libraries: tuple[str, ...], prepare: Any) -> tuple[Any, str]:
    """The module, with the library made ready before it is imported, and what is named behind the colon."""
    leave_out_here()
    try:
        for library in libraries:
            importlib.import_module(library)
        prepare()
    except ImportError as problem:
        answer = {"error": "no-library", "library": libraries[0], "python": sys.executable, "text": last_line(problem)}
        raise CannotLoad(answer) from None
    look_here()
    module, _, attribute = name.partition(":")
    try:
        return importlib.import_module(module), attribute
    except ModuleNotFoundError as problem:
        if not is_missing(name, problem):
            raise
        known = modules_near(problem.name or module)
        raise CannotLoad({"error": "no-module", "module": problem.name, "known": known}) from None


def attribute_of(module: Any, attribute: str) -> Any:
    value = module
    for part in attribute.split("."):
        if part not in vars_of(value):
            answer = {
                "error": "no-app",
                "module": module.__name__,
                "attribute": attribute,
                "apps": [],
                "wanted": "attribute of that name",
            }
            raise CannotLoad({**answer, "names": sorted(vars(module))[:NAMES_SHOWN], "modules": []})
        value = vars_of(value)[part]
    return value


def chosen(module: Any, attribute: str, fits: Any, wanted: str) -> Any:
    """The one value of the module that fits, or the one that is named."""
    fitting = {key: value for key, value in vars(module).items() if not key.startswith("__") and fits(value)}
    if attribute:
        value = attribute_of(module, attribute)
        if fits(value):
            return value
        kind = type(value).__name__
    else:
        apps = {key: value for key, value in fitting.items() if type(value).__name__ == "FastStream"} or fitting
        different = {id(value): value for value in apps.values()}
        if len(different) == 1:
            return next(iter(different.values()))
        kind = None
    raise CannotLoad(no_program(module, attribute, kind, sorted(fitting), wanted))


def no_program(module: Any, attribute: str, kind: str | None, apps: list[str], wanted: str) -> dict[str, Any]:
    """That the module has not what is wanted, and what it has."""
    return {
        "error": "no-app", "module": module.__name__, "attribute": attribute, "kind": kind, "apps": apps, "wanted": wanted,
        "names": sorted(key for key in vars(module) if not key.startswith("__"))[:NAMES_SHOWN],
        "modules": modules_near(f"{module.__name__}.any") if hasattr(module, "__path__") else [],
    }  # fmt: skip


def reply(library: str, recording: DeclarationLog) -> dict[str, Any]:
    version = importlib.import_module("importlib.metadata").version(library)
    return {
        "library": library, "version": version, "vhost": recording.vhost, "things": recording.things, "notes": recording.notes,
        "consumed": list(dict.fromkeys(recording.consumed)),
    }  # fmt: skip
