"""A file to a scenario: every error in it at once, each with its place and its cure."""

import contextlib
import gc
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from routesim.diagnostics import Diagnostic, Invalid
from routesim.model import ChannelPlan
from routesim.named_tuples import NamedTuple
from routesim.scenario.definitions import list_form
from routesim.scenario.format import whole
from routesim.scenario.format.kinds import Reader, Unreadable
from routesim.scenario.format.shapes import Fields, ListOf
from routesim.scenario.imports.sight import ForeignKind, kind_of
from routesim.scenario.places import Places
from routesim.scenario.scenario import ExpectedRoute, ExploreSection, Never, Scenario, steps_of
from routesim.scenario.sections.broker_section import broker_settings
from routesim.scenario.sections.declarations import Declarations
from routesim.scenario.sections.expect_section import expectations
from routesim.scenario.sections.names import Names
from routesim.scenario.sections.touched_bugs import bugs_in
from routesim.scenario.steps.steps_section import StepsSection
from routesim.scenario.steps.verbs import CELERY_VERBS
from routesim.scenario.yaml.nodes import Mapping, Sequence, Text
from routesim.scenario.yaml.parsing import parse
from routesim.scenario.yaml.source import STDIN, QuietSource, Source, read_source
from routesim.versions import NEWEST, UnknownVersion, rules

if TYPE_CHECKING:
    from routesim.scenario.celery.expansion import Expanded
    from routesim.scenario.definitions.by_vhost import ByVhost
    from routesim.scenario.definitions.reading import Definitions
    from routesim.scenario.imports.gathered import Gathered
    from routesim.scenario.inclusion import Inclusion
    from routesim.scenario.sections.worker_section import WorkerSection


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """Nothing that loading makes is garbage: looking for some, ever again, would double the time for a large file."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def load(
    path: str,
    stdin: bytes | None = None,
    *,
    rabbitmq: str | None = None,
    lenient: bool = False,
    redis: bool = True,
    permit: tuple[str, ...] = (),
    vhost: str | None = None,
) -> Scenario:
    """The scenario in a file (`-`: in `stdin`). Raises `Invalid` with every error and warning.

    `rabbitmq`: by the rules of this known version instead of the scenario's own. `lenient`: what those rules refuse is a
    warning. `redis` False: a scenario of another broker than RabbitMQ is refused. `permit`: the deprecated features that the
    broker takes, where the scenario does not say. `vhost`: this one of a definitions file, be it the file itself or one that a
    scenario includes; without it a definitions file that declares something in several, and nothing in `/`, is refused.
    """
    if path != STDIN and os.path.isdir(path):
        return _folder(path, LoadOptions("", rabbitmq, lenient, vhost, redis, permit, one_vhost=True))[0]
    source = read_source(path, stdin)
    folder = "" if path == STDIN else os.path.dirname(path)
    return load_source(source, folder, rabbitmq=rabbitmq, lenient=lenient, redis=redis, permit=permit, vhost=vhost)


def load_placed(
    path: str,
    stdin: bytes | None = None,
    *,
    rabbitmq: str | None = None,
    lenient: bool = False,
    vhost: str | None = None,
    redis: bool = False,
) -> tuple[Scenario, Places]:
    """The scenario in a file, and where it declares what. Raises `Invalid` like `load`; `redis`: it may be one of Redis.

    `vhost`: this one of a definitions file that is read by itself.
    """
    return LoadableFile(path, stdin).load(rabbitmq=rabbitmq, lenient=lenient, vhost=vhost, redis=redis)


class LoadableFile:
    """A file that is read once, and loaded as often as is asked for: a definitions file one virtual host after the other. Raises
    `Invalid` where it cannot be read."""

    def __init__(self, path: str, stdin: bytes | None = None) -> None:
        self.path = path
        self.folder = "" if path == STDIN else os.path.dirname(path)
        self._source = None if path != STDIN and os.path.isdir(path) else read_source(path, stdin)
        self._read: _Read | None = None  # of a definitions file, once it is loaded

    @without_collector()
    def load(
        self,
        *,
        rabbitmq: str | None = None,
        lenient: bool = False,
        vhost: str | None = None,
        redis: bool = False,
        whole: bool = True,
    ) -> tuple[Scenario, Places]:
        """As `load_placed` does. `whole`: with what there is to say of a definitions file whatever the virtual host is, as an
        `Invalid` does in any case."""
        options = LoadOptions(self.folder, rabbitmq, lenient, vhost, redis, whole=whole)
        if self._source is None:
            return _folder(self.path, options)
        read = self._read or _read(self._source)
        if read.by_vhost is not None:
            self._read = read
        try:
            return _of(read, options)
        except Invalid:
            if whole:
                raise
        return _of(read, options._replace(whole=True))


@without_collector()
def load_source(
    source: Source,
    folder: str,
    *,
    rabbitmq: str | None = None,
    lenient: bool = False,
    redis: bool = True,
    permit: tuple[str, ...] = (),
    vhost: str | None = None,
) -> Scenario:
    """The scenario in a text; `folder` is where the definitions files that it includes are looked for."""
    return _loaded(source, LoadOptions(folder, rabbitmq, lenient, vhost, redis, permit, one_vhost=True))[0]


def _folder(path: str, options: "LoadOptions") -> tuple[Scenario, Places]:
    """What the Kubernetes objects in a folder declare together. Raises `Invalid`."""
    from routesim.scenario.imports.folders import OPERATOR, sources_in  # few scenarios are folders

    sources = sources_in(path)
    if not sources:
        read_source(path)  # says that it is a folder
    loader = _Loader(QuietSource(path, ""), options)
    return loader.foreign_file(OPERATOR, sources), Places(loader.source, None, loader.declarations)


class _Read(NamedTuple):
    """A text as it was read: one of another program, of definitions (with the `node` where they were YAML), or a scenario's."""

    source: Source
    kind: ForeignKind | None = None
    by_vhost: "ByVhost | None" = None
    node: Mapping | None = None


def _loaded(source: Source, options: "LoadOptions") -> tuple[Scenario, Places]:
    return _of(_read(source), options)


def _of(read: _Read, options: "LoadOptions") -> tuple[Scenario, Places]:
    loader, node = _Loader(read.source, options), read.node
    if read.kind is not None:
        return loader.foreign_file(read.kind, [read.source]), Places(read.source, None, loader.declarations)
    if read.by_vhost is not None:
        scenario = loader.definitions_file(read.by_vhost, node)
    else:
        assert node is not None
        node = loader.expanded(node)
        scenario = loader.scenario(node)
    return scenario, Places(read.source, node, loader.declarations)


def _read(source: Source) -> _Read:
    data = None
    kind = kind_of(source.text)
    if kind is not None:
        return _Read(QuietSource(source.file, source.text), kind)
    if source.text.lstrip()[:1] == "{":
        try:
            data = list_form.read_json(source)
        except Invalid:
            if source.file.endswith(".json"):
                raise
            data = None  # YAML's flow form, or broken: parsed as YAML below, whose errors say where
        if data is not None and list_form.looks_like(data):
            return _Read(source, by_vhost=_by_vhost(data))
    if data is not None:
        source = Source(source.file, list_form.without_surrogates(source.text))
    node = parse(source)
    if node is None:
        raise source.fail(
            "empty-file", "there is nothing in this file", 1, 1, cure="`routesim run` needs a scenario or a definitions file"
        )
    if not isinstance(node, Mapping):
        raise source.fail(
            "wrong-type", "expected a scenario: a mapping such as `queues:`, `steps:`", node.line, node.column, node.width
        )
    return _Read(source, by_vhost=_by_vhost(list_form.plain_data(node)) if list_form.looks_like(node) else None, node=node)


def _by_vhost(data: dict[str, Any]) -> "ByVhost":
    from routesim.scenario.definitions.by_vhost import ByVhost  # few scenarios include one

    return ByVhost(data)


def is_celery(root: Mapping) -> bool:
    """There is something of Celery to expand."""
    steps = root.get("steps")
    return "celery" in root or (
        isinstance(steps, Sequence)
        and any(isinstance(step, Mapping) and any(verb in step for verb in CELERY_VERBS) for step in steps)
    )


def load_expanded(source: Source, folder: str, *, rabbitmq: str | None = None) -> "tuple[Expanded | None, Scenario]":
    """A scenario, and what its celery section is expanded to (None: it has none). Raises `Invalid` like `load`."""
    node = parse(source) if kind_of(source.text) is None else None
    if not isinstance(node, Mapping) or not is_celery(node):
        return None, load_source(source, folder, rabbitmq=rabbitmq)
    from routesim.scenario.celery.expansion import expand

    expanded = expand(Reader(source), node, rabbitmq)
    return expanded, load_source(source, folder, rabbitmq=rabbitmq)


@without_collector()
def load_definitions(
    source: Source,
    data: dict[str, Any],
    node: Mapping | None,
    vhost: str,
    *,
    rabbitmq: str | None = None,
    permit: tuple[str, ...] = (),
) -> Scenario:
    """What a definitions file declares in one vhost; `node` where its data were YAML; `permit` as in `load`. Raises `Invalid`."""
    return _Loader(source, LoadOptions("", rabbitmq, False, vhost, permit=permit)).definitions_file(_by_vhost(data), node)


@without_collector()
def load_gathered(gathered: "Gathered", file: str, vhost: str, *, rabbitmq: str | None = None) -> Scenario:
    """What files of another program declare in one vhost, checked by the broker's rules. Raises `Invalid`."""
    return _Loader(Source(file, ""), LoadOptions("", rabbitmq, False, vhost)).gathered(gathered, vhost)


class LoadOptions(NamedTuple):
    """How a text is loaded: see `load` and `load_placed`. `folder`: where the definitions files are that it includes.
    `one_vhost`: nobody looks at the others of a definitions file, which is therefore told. `whole`: see `LoadableFile`."""

    folder: str
    rabbitmq: str | None
    lenient: bool
    vhost: str | None = None
    redis: bool = True
    permit: tuple[str, ...] = ()
    one_vhost: bool = False
    whole: bool = True


class _Loader:
    def __init__(self, source: Source, options: LoadOptions) -> None:
        self.source = source
        self.folder = options.folder
        self.rabbitmq = options.rabbitmq
        self.vhost = options.vhost
        self.one_vhost = options.one_vhost
        self.whole = options.whole
        self.redis = options.redis
        self.permit = options.permit
        self.on_redis: dict[str, Any] = {}
        self.routed: dict[str, str] = {}
        self.step_texts: list[str] = []
        self.reader = Reader(source)
        self.names = Names(self.reader)
        self.declarations = Declarations(self.reader, self.names, lenient=options.lenient)

    def definitions_file(self, by_vhost: "ByVhost", node: Mapping | None = None) -> Scenario:
        """A definitions file by itself is a scenario without steps."""
        declared = by_vhost.declared()
        vhost = list_form.chosen_vhost(declared) if self.vhost is None else self.vhost
        found = self._inclusion().definitions(
            self.source, by_vhost, node, vhost, self.rabbitmq, vhost_given=self.vhost is not None, whole=self.whole
        )
        if self.one_vhost:
            self._tell_vhosts(declared, vhost)
        version = self._version_of(found, self.source)
        return self._finish({}, None, version, vhost, found.default_queue_type)

    def _tell_vhosts(self, declared: list[str], vhost: str) -> None:
        """That there are others than the one that is looked at."""
        names = ", ".join(f"'{name}'" for name in declared if name != vhost)
        if self.vhost is not None:
            if declared and vhost not in declared:
                self._of_file("error", f"nothing is declared in vhost '{vhost}'", f"choose one of: {names}")
        elif vhost not in declared and len(declared) > 1:
            self.reader.diagnostics[:] = [item for item in self.reader.diagnostics if item.code != "unknown-vhost"]
            self._of_file("error", f"this file declares something in {len(declared)} vhosts: {names}", "choose one with --vhost")
        elif len(declared) > 1:
            self._of_file("note", f"only vhost '{vhost}' is looked at; the file has {names} as well", "--vhost chooses another")

    def _of_file(self, severity: str, problem: str, cure: str) -> None:
        self.reader.diagnostics.append(self.source.diagnostic(severity, "unknown-vhost", problem, 1, 1, 1, cure))

    def foreign_file(self, kind: ForeignKind, sources: list[Source]) -> Scenario:
        """Files of another program by themselves are a scenario without steps. Raises `Invalid`."""
        from routesim.scenario.imports.gathered import gathered_from  # few files are

        found = gathered_from(kind, sources)
        vhost = found.chosen_vhost() if self.vhost is None else self.vhost
        if self.one_vhost:
            self._tell_vhosts(list(found.vhosts), vhost)
        return self.gathered(found, vhost)

    def gathered(self, found: "Gathered", vhost: str) -> Scenario:
        parts = found.parts(vhost)
        if not parts:
            from routesim.scenario.definitions.reading import Definitions

            nothing = Definitions([], [], [], [], None, None, found.vhosts, found.vhosts)
            self.declarations.include(nothing, self.source, lambda path: (1, 1, 1))
        for part in parts:
            source = self.source if part.document.source.file == self.source.file else part.document.source
            self.declarations.include(part.found, source, part.document.place)
        self.reader.diagnostics.extend(found.all_diagnostics())
        if self.reader.failed:
            raise Invalid(in_order(self.reader.diagnostics))
        return self._finish({}, None, NEWEST, vhost, found.queue_types.get(vhost))

    def expanded(self, node: Mapping) -> Mapping:
        """The scenario without Celery's words, in the plain ones. Raises `Invalid`."""
        if not is_celery(node):
            return node
        from routesim.scenario.celery.expansion import expand  # few scenarios need it, and every command is to start at once

        try:
            found = expand(self.reader, node, self.rabbitmq)
            self.on_redis, self.routed = found.on_redis, found.routed
            self.step_texts = [step.text for step in found.steps]
            self.declarations.cures = found.cures
            return found.root
        except Invalid as invalid:
            raise Invalid(in_order(invalid.diagnostics)) from None

    def scenario(self, node: Mapping) -> Scenario:
        listed = {
            name: node[name]
            for name in ("exchanges", "queues", "bindings")
            if list_form.section_in_list_form(name, node.get(name))
        }
        hidden = Mapping({key: value for key, value in node.items() if key not in listed})
        hidden.line, hidden.column, hidden.width = node.line, node.column, node.width
        try:
            fields = whole.SCENARIO.read(self.reader, hidden)
        except Unreadable:
            fields = Fields()
        vhost = fields.get("vhost", "/") if self.vhost is None else self.vhost
        given = self.vhost is not None or "vhost" in fields
        included = self._included(fields, vhost, listed, node, given=given)
        if self.vhost is not None and not included and self.vhost != fields.get("vhost", "/"):
            problem = f"'{self.vhost}' chooses nothing here: all of this scenario is in one vhost, '{fields.get('vhost', '/')}'"
            self._of_file("warning", problem, "--vhost is for definitions files; leave it out")
        named = next((item for item in included if item.rabbitmq), None)
        version = self._version(fields["rabbitmq"]) if "rabbitmq" in fields else self._version_of(named, self.source)
        default_type = next((item.default_queue_type for item in included if item.default_queue_type), None)
        return self._finish(fields, hidden, version, str(vhost), default_type)

    def _included(
        self, fields: dict[str, Any], vhost: str, listed: dict[str, Any], node: Mapping, *, given: bool
    ) -> "list[Definitions]":
        """What stands in definitions files beside the scenario, or in the form of one within it."""
        if not fields.get("definitions") and not listed:
            return []
        found = self._inclusion().files(fields.get("definitions", ()), vhost, fields.get("rabbitmq"), given=given)
        if listed:
            data = {name: list_form.plain_data(part) for name, part in listed.items()}
            version = fields.get("rabbitmq")
            found.append(
                self._inclusion().definitions(self.source, _by_vhost(data), node, vhost, version, vhost_given=given)
            )  # fmt: skip
        return found

    def _inclusion(self) -> "Inclusion":
        from routesim.scenario.inclusion import Inclusion  # few scenarios include anything

        return Inclusion(self.reader, self.declarations, self.source, self.folder, self._of_file)

    def _version(self, text: Text) -> str:
        try:
            return rules(text).version
        except UnknownVersion as unknown:
            self.reader.error("unknown-version", f"no RabbitMQ '{text}' is known", text, str(unknown))
            return NEWEST

    def _version_of(self, found: "Definitions | None", source: Source) -> str:
        """The profile for the version that a definitions file names."""
        if found is None or found.rabbitmq is None:
            return NEWEST
        from routesim.scenario.definitions.reading import closest_version

        version, warning = closest_version(found.rabbitmq)
        if warning:
            included = next((item for item in self.declarations.included if item.found is found), None)
            key = "rabbitmq_version" if "rabbitmq_version" in source.text else "rabbit_version"
            where, place = (included.source, included.place((key,))) if included else (source, (1, 1, 1))
            self.reader.diagnostics.append(where.diagnostic("warning", "unknown-version", warning, *place))
        return version

    # The rest --------------------------------------------------------------------------------------------------------

    def _finish(
        self, fields: dict[str, Any], node: Mapping | None, version: str, vhost: str, default_type: str | None
    ) -> Scenario:
        names, declarations = self.names, self.declarations
        written = node.get("broker") if node is not None else None
        settings = broker_settings(
            self.reader, fields.get("broker", {}), written, default_type, rules(self.rabbitmq or version), redis=self.redis
        )
        if "permit" not in fields.get("broker", {}):
            settings = settings._replace(permit=self.permit)
        for name, options in fields.get("channels", {}).items():
            names.named_channels.add(str(name))
            connection = str(options.get("connection", name))
            names.channels[str(name)] = ChannelPlan(
                str(name), connection, options.get("confirms", True), options.get("prefetch", 0)
            )
        steps = StepsSection(self.reader, names, declarations)
        step_nodes = fields.get("steps")
        read = steps.read(step_nodes, self.step_texts) if isinstance(step_nodes, Sequence) else self._no_steps(step_nodes)
        version = self.rabbitmq or version
        declarations.gather(fields, node)
        working = self._working(fields)
        steps.gather(read)
        declarations.settle_channels()
        workers = working.workers() if working is not None else {}
        top_level = declarations.top_level(fields, node, vhost, version, settings)
        built = steps.build(read)
        expect_node = node.get("expect") if node is not None else None
        expect = (
            expectations(self.reader, names, expect_node, fields["expect"])
            if "expect" in fields and expect_node is not None
            else ()
        )
        promised, forbidden = self._promises(fields)
        if self.reader.failed:
            raise Invalid(in_order(self.reader.diagnostics))
        file, until = self.source.file, fields.get("until", "idle")
        until = until if isinstance(until, int) else str(until)
        scenario = Scenario(
            file=file, name=str(fields.get("name", os.path.splitext(os.path.basename(file))[0] if file != "<stdin>" else file)),
            description=str(fields.get("description", "")), rabbitmq=version, seed=fields.get("seed", 0), vhost=vhost,
            settings=settings, channels=names.channels, declarations=top_level, consumers=declarations.consumers,
            steps=built, expect=expect, until=until, topology=declarations.topology, routes=promised, never=forbidden,
            tasks=working.tasks if working is not None else {}, workers=workers, on_redis=self.on_redis,
            findings=tuple(in_order(self.reader.findings)), routed=self.routed, cures=declarations.cures,
            explore=self._explored(fields),
        )  # fmt: skip
        self._tell_bugs(scenario, node)
        return scenario._replace(warnings=tuple(in_order(self.reader.diagnostics)))

    def _tell_bugs(self, scenario: Scenario, node: Mapping | None) -> None:
        topology, version = scenario.topology, scenario.rabbitmq
        consumers = list(scenario.consumers.values())
        for bug in bugs_in(version, topology, consumers, steps_of(scenario)) if topology is not None else ():
            text = f"RabbitMQ {version} has a bug that is not simulated, in {bug.touches}: {bug.what}"
            cure = f"mended in {bug.mended}, as its release notes say" if bug.mended else "no patch that is known mends it"
            written = node.get("rabbitmq") if node is not None else None
            if written is not None:
                self.reader.warning("known-bug", text, written, cure)
            else:
                self.reader.diagnostics.append(self.source.diagnostic("warning", "known-bug", text, 1, 1, 1, cure))

    def _working(self, fields: dict[str, Any]) -> "WorkerSection | None":
        if not fields.keys() & {"tasks", "workers"}:
            return None
        from routesim.scenario.sections.worker_section import (
            WorkerSection,  # few scenarios need it, and every command is to start at once
        )

        return WorkerSection(self.reader, self.names, self.declarations, fields)

    def _promises(self, fields: dict[str, Any]) -> tuple[tuple[ExpectedRoute, ...], tuple[Never, ...]]:
        if not fields.keys() & {"routes", "never"}:
            return (), ()
        from routesim.scenario.sections.promises_section import (  # few scenarios need it, and every command is to start at once
            never,
            routes,
        )

        rows = routes(self.reader, self.names, fields.get("routes", ()), self.declarations.topology)
        return rows, never(self.reader, self.names, fields.get("never", ()))

    def _explored(self, fields: dict[str, Any]) -> ExploreSection | None:
        if "explore" not in fields:
            return None
        from routesim.scenario.sections.explore_section import explore_section  # few scenarios need it

        return explore_section(fields["explore"])

    def _no_steps(self, node: Any) -> list[Any]:
        if node is not None and not (isinstance(node, Text) and node.plain and not node):
            with contextlib.suppress(Unreadable):
                ListOf(whole.StepList()).read(self.reader, node)
        return []


def in_order(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """In the order of the text; what is said twice of one place only once."""
    unique = dict.fromkeys(diagnostics)
    return sorted(unique, key=lambda item: (item.place.file, item.place.line, item.place.column) if item.place else ("", 0, 0))
