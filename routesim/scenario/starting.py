"""The first scenarios that `routesim new` writes: the YAML files beside this one, whose names are theirs."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "templates"
DEFAULT = "work-queue"


def templates() -> dict[str, str]:
    """Every template with the sentence that says what it shows."""
    return {path.stem: _sentence(path) for path in sorted(FOLDER.glob("*.yaml"))}


def template(name: str) -> str:
    """The text of a template that there is."""
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def _sentence(path: Path) -> str:
    found = re.search(r"^description: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""
