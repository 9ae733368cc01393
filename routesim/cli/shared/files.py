"""What the words on a command line mean as files: a folder is the scenarios in it, a name without an ending is a file with it, or
a scenario that comes with routesim."""

import os
from collections.abc import Iterable, Iterator

from routesim.cli.shared.exits import UsageError

ENDINGS = (".yaml", ".scenario.yaml", ".yml", ".scenario.yml", ".json")  # tried behind a name, in this order
SCENARIO = (".scenario.yaml", ".scenario.yml")
YAML = (".yaml", ".yml")


def named(word: str) -> str:
    """The file that a word means: itself where there is one, else with an ending, else the scenario of that name that comes
    along. The word as it is where nothing fits, so that whoever reads it says so."""
    if word == "-" or os.path.exists(word) or os.path.splitext(word)[1] in (*YAML, ".json"):
        return word
    found = next((word + ending for ending in ENDINGS if os.path.isfile(word + ending)), None)
    if found is not None:
        return found
    from routesim.scenario.starting import shipped

    return shipped().get(word, word)


def found(words: Iterable[str]) -> list[str]:
    """The files that the words mean, those of a folder by their names. Raises `UsageError` for a folder without any."""
    files: list[str] = []
    for word in words:
        if word != "-" and os.path.isdir(word):
            files += _in_folder(word)
        else:
            files.append(named(word))
    return list(files)


def _in_folder(folder: str) -> list[str]:
    """Files named `*.scenario.yaml` where there are some, else every YAML file, else definitions files (JSON). Kubernetes objects
    are of one broker, whatever files they stand in: the folder itself stands for them."""
    from routesim.scenario.imports.folders import holds_objects

    files = list(_below(folder))
    chosen = [path for path in files if path.endswith(SCENARIO)]
    if chosen:
        return chosen
    for endings in (YAML, (".json",)):
        chosen = [path for path in files if path.endswith(endings)]
        others = [path for path in chosen if not holds_objects(path)]
        if chosen:
            return chosen if len(others) == len(chosen) else [folder, *others]
    raise UsageError(f"{folder} has no scenario in it: no file ends with {', '.join(YAML)} or .json")


def _below(folder: str) -> Iterator[str]:
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")) and name != "node_modules")
        yield from (os.path.join(path, name) for name in sorted(names) if not name.startswith("."))
