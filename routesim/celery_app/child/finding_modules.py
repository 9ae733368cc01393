"""Where modules are looked for, and what there is where one is not; nothing connects as it is imported."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from typing import Any

from routesim.celery_app.child.answering import CannotLoad, caller, place_of

NAMES_SHOWN = 40


def leave_out_here() -> None:
    """Look for modules elsewhere than in the working directory: `-c` puts it before everything, and a celery.py there would be
    taken for Celery itself."""
    here = os.path.realpath(".")
    sys.path[:] = [each for each in sys.path if each and os.path.realpath(each) != here]


def look_here() -> None:
    """Look for modules in the working directory first."""
    sys.path.insert(0, os.getcwd())


def refuse(connection: Any, *arguments: Any, **named: Any) -> None:
    """What stands for the method with which kombu connects."""
    raise CannotLoad({"error": "connects", "place": caller()})


def is_missing(name: str, problem: ModuleNotFoundError) -> bool:
    """Whether it is the app's own module that there is not, and not one that it imports."""
    module = name.partition(":")[0]
    wanted = problem.name or ""
    return place_of(problem) is None and (module == wanted or module.startswith(wanted + "."))


def modules_near(module: str) -> list[str]:
    """The names that the module could have had."""
    package, _, _ = module.rpartition(".")
    try:
        paths = list(importlib.import_module(package).__path__) if package else [os.getcwd()]
    except BaseException:
        paths = [os.getcwd()]
    prefix = package + "." if package else ""
    return sorted(prefix + each.name for each in pkgutil.iter_modules(paths))[:1000]
