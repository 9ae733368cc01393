"""The first scenarios that `routesim new` writes, the YAML files beside this one, and those that come along to be run."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "templates"
PACKAGE = Path(__file__).parents[1]
SHIPPED = (PACKAGE / "scenarios", PACKAGE.parent / "scenarios")  # as installed; in a checkout
DEFAULT = "work-queue"


def templates() -> dict[str, str]:
    """Every template with the sentence that says what it shows."""
    return {path.stem: _sentence(path) for path in sorted(FOLDER.glob("*.yaml"))}


def template(name: str) -> str:
    """The text of a template that there is."""
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def shipped() -> dict[str, str]:
    """The paths of the scenarios that come with routesim, by their names, such as `hello` or `celery/time-limits`; and by the
    last part of the name too, where that is of one alone."""
    paths = {name: str(path) for name, path in _shipped().items()}
    last = [name.rpartition("/")[2] for name in paths]
    short = {last_part: path for last_part, path in zip(last, paths.values(), strict=True) if last.count(last_part) == 1}
    return {**short, **paths}


def shipped_file(path: str) -> str | None:
    """The file or folder that a path such as `scenarios/hello.yaml` means where there is none of that name, so that what the
    documentation shows runs anywhere. None: nothing comes along under this path."""
    folder = _folder()
    within = path.replace("\\", "/").removeprefix("./")
    if folder is None or not f"{within}/".startswith("scenarios/"):
        return None
    found = folder / within.removeprefix("scenarios").lstrip("/")
    return str(found) if ".." not in found.parts and found.exists() else None


def shipped_titles() -> dict[str, str]:
    """Their titles, by their whole names."""
    found = {}
    for name, path in _shipped().items():
        title = re.search(r"^name: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        found[name] = title[1].strip("\"'") if title else ""
    return found


def _shipped() -> dict[str, Path]:
    folder = _folder()
    paths = sorted(folder.rglob("*.yaml")) if folder is not None else []
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths} if folder is not None else {}


def _folder() -> Path | None:
    return next((folder for folder in SHIPPED if (folder / "hello.yaml").is_file()), None)


def _sentence(path: Path) -> str:
    found = re.search(r"^description: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""
