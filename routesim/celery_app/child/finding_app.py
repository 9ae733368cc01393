"""The app that `celery -A` would take."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from routesim.celery_app.child.answering import CannotLoad, last_line, place_of
from routesim.celery_app.child.finding_modules import NAMES_SHOWN, is_missing, leave_out_here, look_here, modules_near, refuse


def found(name: str) -> Any:
    """The app that `celery -A name` would take."""
    leave_out_here()
    try:
        importlib.import_module("celery")
        utils, kombu = importlib.import_module("celery.app.utils"), importlib.import_module("kombu")
    except ImportError as problem:
        raise CannotLoad({"error": "no-celery", "python": sys.executable, "text": last_line(problem)}) from None
    look_here()
    kombu.Connection._establish_connection = refuse
    try:
        app = utils.find_app(name)
    except AttributeError as problem:
        if place_of(problem) is not None:
            raise
        raise CannotLoad(no_app(name)) from None
    except ModuleNotFoundError as problem:
        if problem.name == name and ":" in name:  # the attribute is missing; then it is tried as a module
            raise CannotLoad(no_app(name)) from None
        if is_missing(name, problem):
            known = modules_near(problem.name or name)
            raise CannotLoad({"error": "no-module", "module": problem.name, "known": known}) from None
        raise
    if not isinstance(app, importlib.import_module("celery").Celery):
        raise CannotLoad({**no_app(name), "kind": type(app).__name__})
    return app


def no_app(name: str) -> dict[str, Any]:
    """What there is in the module instead of an app. Raises what its `celery` module raises, which hides behind that."""
    module_name, _, attribute = name.partition(":")
    module = sys.modules.get(module_name)
    if module is None and "." in module_name:
        module_name, _, attribute = module_name.rpartition(".")
        module = sys.modules.get(module_name)
    if not attribute and hasattr(module, "__path__"):
        beside = module_name + ".celery"
        try:
            importlib.import_module(beside)
        except ModuleNotFoundError as problem:
            if problem.name != beside:
                raise
    celery = importlib.import_module("celery").Celery
    values = {} if module is None else {key: value for key, value in vars(module).items() if not key.startswith("__")}
    return {
        "error": "no-app", "module": module_name, "attribute": attribute,
        "apps": [key for key, value in values.items() if isinstance(value, celery)],
        "names": sorted(values)[:NAMES_SHOWN],
        "modules": modules_near(f"{module_name}.any") if hasattr(module, "__path__") else [],
    }  # fmt: skip
