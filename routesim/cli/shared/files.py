"""What the words on a command line mean as files: a folder is the scenarios in it, a name without an ending is a file with it, or
a scenario that comes with routesim."""

import os
import re
from collections.abc import Iterable, Iterator

from routesim.cli.shared.exits import UsageError
from routesim.text import so_many

ENDINGS = (".yaml", ".scenario.yaml", ".yml", ".scenario.yml", ".json")  # tried behind a name, in this order
SCENARIO = (".scenario.yaml", ".scenario.yml")
ANYBODYS = {"name", "description", "seed", "until", "workers", "tasks"}  # keys that files of other programs have too
MOST_NAMED = 5  # files that are left out
YAML = (".yaml", ".yml")
MOST_FILES = 200_000  # below a folder: more than a repository has
ENVIRONMENT = "pyvenv.cfg"  # stands in the folder of each, whatever that is called (PEP 405)
MOST_CANDIDATES = 2_000  # files of a folder that are read only to see what they are


def named(word: str) -> str:
    """The file that a word means: itself where there is one, else with an ending, else the scenario of that name that comes
    along. The word as it is where nothing fits, so that whoever reads it says so."""
    if word == "-" or os.path.exists(word):
        return word
    if os.path.splitext(word)[1] in (*YAML, ".json"):
        return _coming_along(word)
    found = next((word + ending for ending in ENDINGS if os.path.isfile(word + ending)), None)
    if found is not None:
        return found
    from routesim.scenario.starting import shipped

    return shipped().get(word, word)


def _coming_along(path: str) -> str:
    """`path`, or, where there is nothing, what comes with routesim under it."""
    if os.path.exists(path) or not path.startswith(("scenarios", "./scenarios", ".\\scenarios")):
        return path
    from routesim.scenario.starting import shipped_file

    return shipped_file(path) or path


def found(words: Iterable[str]) -> list[str]:
    """The files that the words mean, those of a folder by their names. Raises `UsageError` for a folder without any, or
    with too many files."""
    files: list[str] = []
    for word in words:
        folder = _coming_along(word)
        if word != "-" and os.path.isdir(folder):
            files += _in_folder(folder)
        else:
            files.append(named(word))
    return list(files)


def _in_folder(folder: str) -> list[str]:
    """Files named `*.scenario.yaml` where there are some, else every YAML file that has a section of a scenario or is of another
    known kind, else definitions files (JSON). What is left out is told. Kubernetes objects are of one broker, whatever files they
    stand in: the folder itself stands for them."""
    from routesim.scenario.imports.folders import holds_objects

    files = list(_below(folder))
    chosen = [path for path in files if path.endswith(SCENARIO)]
    if chosen:
        named_so = set(chosen)
        others = [path for path in files if path.endswith(YAML) and path not in named_so]
        others = [path for path in others if _may_be_a_scenario(path)] if len(others) <= MOST_CANDIDATES else []
        _tell_left_out(others, "beside files that are named *.scenario.yaml, others are run where they are named")
        return chosen
    candidates = sum(path.endswith(YAML) for path in files) or sum(path.endswith(".json") for path in files)
    if candidates > MOST_CANDIDATES:
        raise UsageError(
            f"{folder} has {candidates:,} files of YAML or JSON in it, too many to look through; name the folder that the "
            "scenarios are in, or call them *.scenario.yaml"
        )
    foreign = [path for path in files if path.endswith(YAML) and not _may_be_a_scenario(path)]
    if foreign and len(foreign) < sum(path.endswith(YAML) for path in files):
        _tell_left_out(foreign, "no section of a scenario stands there")
        files = [path for path in files if path not in set(foreign)]
    for endings in (YAML, (".json",)):
        chosen = [path for path in files if path.endswith(endings)]
        others = [path for path in chosen if not holds_objects(path)]
        if chosen:
            return chosen if len(others) == len(chosen) else [folder, *others]
    raise UsageError(f"{folder} has no scenario in it: no file ends with {', '.join(YAML)} or .json")


def _may_be_a_scenario(path: str) -> bool:
    """Whether a section of a scenario begins in it, it is of another program that is known, or it cannot be read: then whoever
    reads it says so."""
    from routesim.scenario.format.whole import SCENARIO as SHAPE
    from routesim.scenario.imports.sight import LOOKED_AT, kind_of

    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(LOOKED_AT)
    except (OSError, UnicodeDecodeError):
        return True
    sections = "|".join(name for name in SHAPE.fields if name not in ANYBODYS)
    begins = re.search(rf"""^(?:\s*\{{\s*|.*[{{,]\s*)?["']?({sections})["']?\s*:""", text, re.MULTILINE)
    return begins is not None or not text.strip() or kind_of(text) is not None


def _tell_left_out(files: list[str], why: str) -> None:
    if files:
        from routesim.cli.shared.output import stderr_line

        named = ", ".join(files[:MOST_NAMED]) + (", …" if len(files) > MOST_NAMED else "")
        stderr_line(f"note: {so_many(len(files), 'YAML files')} left out ({named}): {why}")


def _below(folder: str) -> Iterator[str]:
    """The files of a folder and of those in it, without what is hidden and without Python's environments, in which routesim's
    own scenarios may lie. Raises `UsageError` where there are too many."""
    count = 0
    for path, folders, names in os.walk(folder):
        if ENVIRONMENT in names and path != folder:
            folders.clear()
            continue
        count += 1 + len(names)
        if count > MOST_FILES:
            raise UsageError(
                f"{folder} has more than {MOST_FILES:,} files in it, too many to look through; "
                "name the folder that the scenarios are in"
            )
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")) and name != "node_modules")
        yield from (os.path.join(path, name) for name in sorted(names) if not name.startswith("."))
