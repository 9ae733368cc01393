"""What `routesim new` does once its command line is understood."""

import os

from routesim.cli.shared.exits import OK, UsageError
from routesim.cli.shared.output import CannotWrite, opened, stderr_line
from routesim.cli.shared.synonyms import TEMPLATES
from routesim.diagnostics import did_you_mean
from routesim.scenario.starting import DEFAULT, shipped_titles, template, templates


def list_templates() -> int:
    known = templates()
    width = max(map(len, known))
    with opened(None) as out:
        for name, sentence in known.items():
            out.write(f"{name:<{width}}  {sentence}\n")
    return OK


def list_shipped() -> int:
    known = shipped_titles()
    width = max(map(len, known), default=0)
    with opened(None) as out:
        for name, title in known.items():
            out.write(f"{name:<{width}}  {title}\n")
    return OK


def write_template(name: str | None, wanted: str | None, *, force: bool) -> int:
    """Writes the scenario; a file that there is stays as it is, unless `force` says otherwise."""
    known = templates()
    if not name:
        asked = TEMPLATES.get(wanted, wanted) if wanted else None
        example = f"`routesim new shop{f' --template {asked}' if asked in known else ''}` writes shop.scenario.yaml"
        raise UsageError(f"new needs a name: {example}; --list says which templates there are")
    chosen = wanted if wanted is not None else DEFAULT
    if chosen not in known:
        hint = f"did you mean '{TEMPLATES[chosen]}'?" if chosen in TEMPLATES else did_you_mean(chosen, known)
        raise UsageError(f"no template is called '{chosen}'; " + (hint or f"there are {', '.join(known)}"))
    path = name if name == "-" or name.endswith((".yaml", ".yml")) else f"{name}.scenario.yaml"
    if path != "-" and os.path.lexists(path) and not force:
        raise UsageError(f"{path} exists already; --force overwrites it")
    try:
        with opened(path) as out:
            out.write(template(chosen))
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None
    if path != "-":
        stderr_line(f"wrote {path}; `routesim run {name}` runs it")
        asked = TEMPLATES.get(name, name)
        if wanted is None and asked in known and asked != DEFAULT:
            stderr_line(
                f"It is of the template {DEFAULT}; `routesim new {name} --template {asked} --force` writes one of {asked}"
            )
    return OK
