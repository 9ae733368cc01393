"""Files of another program as a topology, with all that could not be carried over, and why."""

from routesim.diagnostics import Invalid, did_you_mean
from routesim.scenario.definitions.importing import Imported, readable
from routesim.scenario.definitions.left_out import named
from routesim.scenario.definitions.unsimulated import LEFT_OUT
from routesim.scenario.imports.gathered import Gathered, gathered_from
from routesim.scenario.imports.sight import ForeignKind
from routesim.scenario.load import in_order, load_gathered
from routesim.scenario.topology_data import topology_of
from routesim.scenario.yaml.source import QuietSource, Source
from routesim.scenario.yaml.writing import scalar


def imported_from(kind: ForeignKind, sources: list[Source], vhost: str | None = None, *, rabbitmq: str | None = None) -> Imported:
    """The part of the files in `vhost` (None: `/`, or the only one in which something is declared). Raises `Invalid`."""
    quiet = [QuietSource(source.file, source.text) for source in sources]
    return topology_in(gathered_from(kind, list(quiet)), quiet[0], vhost, rabbitmq=rabbitmq)


def topology_in(gathered: Gathered, source: QuietSource, vhost: str | None = None, *, rabbitmq: str | None = None) -> Imported:
    """The same of what was gathered; `source`: what is named for all of it."""
    if gathered.failed:
        raise Invalid(in_order(gathered.diagnostics))
    chosen = _vhost(gathered, source, vhost)
    scenario = load_gathered(gathered, source.file, chosen, rabbitmq=rabbitmq)
    others = [f"vhost {scalar(name)}: --vhost chooses it" for name in gathered.vhosts if name != chosen]
    warnings = [item for item in scenario.warnings if item.code != LEFT_OUT]  # `left_out` says it
    return Imported(readable(topology_of(scenario)), (*gathered.left_out, *others), tuple(warnings))


def _vhost(gathered: Gathered, source: QuietSource, wanted: str | None) -> str:
    known = list(dict.fromkeys([*gathered.vhosts, *gathered.more_vhosts]))
    if wanted is not None:
        if known and wanted not in known:
            cure = did_you_mean(wanted, known) or f"there is {named(known)}"
            raise source.fail("unknown-vhost", f"nothing is declared in vhost '{wanted}'", 1, 1, cure=cure)
        return wanted
    chosen = gathered.chosen_vhost()
    if len(gathered.vhosts) > 1 and chosen not in gathered.vhosts:
        problem = f"something is declared in {len(gathered.vhosts)} vhosts: {named(gathered.vhosts)}"
        raise source.fail("unknown-vhost", problem, 1, 1, cure="choose one with --vhost")
    return chosen
