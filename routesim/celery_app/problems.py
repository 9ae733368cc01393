"""Why an app could not be read: a sentence, a place in the app's code, a cure."""

import os
import re
from typing import Any

from routesim.celery_app.secrets import masked
from routesim.diagnostics import did_you_mean
from routesim.named_tuples import NamedTuple
from routesim.scenario.definitions.left_out import named

FRAME = re.compile(r'File "(.+)", line ([0-9]+) in')
OWN_SYNTAX = 'File "<string>"'  # an interpreter too old for the child points into the text that it was given


class AppProblem(NamedTuple):
    """`text` begins with the place where there is one; `details` is for `--debug`."""

    text: str
    cure: str = ""
    details: str = ""


def problem_of(answer: dict[str, Any], app: str, directory: str) -> AppProblem:
    """What the child has answered instead of a configuration."""
    made = MAKERS[answer["error"]](answer, app, directory)
    return AppProblem(*(masked(part) for part in made))


def died(status: int, output: str, app: str) -> AppProblem:
    """The process ended without an answer: the app ended it, or something killed it."""
    how = f"ended with status {status}" if status >= 0 else f"was killed by signal {-status}"
    cure = "the interpreter must be Python 3.7 or newer" if OWN_SYNTAX in output else ""
    return AppProblem(f"the process that imported {app} {how}{last_words(output)}", cure, masked(output))


def hangs(output: str, app: str, directory: str, timeout_s: float) -> AppProblem:
    """The process was ended because it took too long. `output` ends with where each thread was, the main one last."""
    printed, _, stacks = output.partition("Timeout (")
    frames = FRAME.findall(stacks.rpartition("Thread 0x")[2])
    own = [(file, line) for file, line in frames if file.startswith(directory + os.sep) and "site-packages" not in file]
    place = f"{os.path.relpath(own[0][0], directory)}:{own[0][1]}: " if own else ""
    cure = "--timeout gives it longer; what waits for another service belongs into functions, not where modules are loaded"
    text = f"{place}{app} was not imported within {timeout_s:g} s{last_words(printed)}"
    return AppProblem(text, cure, masked(output))


def last_words(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return f"; its last line: {masked(lines[-1])[:200]}" if lines else ""  # what is cut first can no longer be told


def _no_celery(answer: dict[str, Any], app: str, directory: str) -> AppProblem:
    return AppProblem(
        f"Celery is not installed for {answer['python']} ({answer['text']})",
        "name the interpreter that the app runs with (--python venv/bin/python), or install it there: `pip install celery`",
    )


def _no_library(answer: dict[str, Any], app: str, directory: str) -> AppProblem:
    library = answer["library"]
    return AppProblem(
        f"{library} is not installed for {answer['python']} ({answer['text']})",
        f"name the interpreter that runs the program (--python venv/bin/python), or install it there: `pip install {library}`",
    )


def _no_module(answer: dict[str, Any], app: str, directory: str) -> AppProblem:
    return AppProblem(
        f"there is no module {answer['module']}; looked in {directory} and on the path of the interpreter",
        did_you_mean(answer["module"], answer["known"]) or "--chdir DIR says where the project is",
    )


def _no_app(answer: dict[str, Any], app: str, directory: str) -> AppProblem:
    module, attribute = answer["module"], answer["attribute"]
    apps = " or ".join(f"{module}:{name}" for name in answer["apps"])
    if answer.get("kind") and attribute:
        wanted = answer.get("wanted", "Celery app")
        text = f"{module}:{attribute} is no {wanted} but a {answer['kind']}"
    elif answer.get("wanted"):
        text = f"{module} has no {attribute or answer['wanted']}"
    elif attribute:
        text = f"{module} has no {attribute}"
    else:
        text = f"{app} has no Celery app"
    if apps:
        return AppProblem(text, f"take {apps}")
    names = did_you_mean(attribute, answer["names"]) if attribute and not answer.get("kind") else ""
    modules = f"; its modules are {named(answer['modules'])}" if answer["modules"] else ""
    how = "name it package.module:attribute" if answer.get("wanted") else "name it as for `celery -A`: package.module:attribute"
    return AppProblem(text, names or f"{how}{modules}")


def _raises(answer: dict[str, Any], app: str, directory: str) -> AppProblem:
    cure = ""
    if answer["missing"]:
        cure = "name the interpreter of the project's environment (--python venv/bin/python), or its directory (--chdir DIR)"
    return AppProblem(f"{_place(answer)}{app} cannot be imported: {answer['text']}", cure, answer["traceback"])


def _exits(answer: dict[str, Any], app: str, directory: str) -> AppProblem:
    return AppProblem(f"{_place(answer)}{app} ends the process while it is imported: sys.exit({answer['text']})")


def _connects(answer: dict[str, Any], app: str, directory: str) -> AppProblem:
    return AppProblem(
        f"{_place(answer)}{app} talks to its broker while it is imported; an import makes no connection",
        "send and connect in functions, not where the module is loaded",
    )


def _place(answer: dict[str, Any]) -> str:
    return f"{answer['place'][0]}:{answer['place'][1]}: " if answer["place"] else ""


MAKERS = {
    "no-celery": _no_celery, "no-library": _no_library, "no-module": _no_module, "no-app": _no_app, "raises": _raises,
    "exits": _exits, "connects": _connects,
}  # fmt: skip
