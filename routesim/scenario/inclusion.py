"""What a scenario includes: definitions files, files of other programs, sections in the form of a definitions file."""

import os
from collections.abc import Callable, Iterable

from routesim.diagnostics import Invalid
from routesim.scenario.definitions import list_form, reading
from routesim.scenario.definitions.access import access_findings, access_problems, unlisted
from routesim.scenario.definitions.by_vhost import ByVhost
from routesim.scenario.definitions.plugins import plugin_findings
from routesim.scenario.definitions.users import refused, useless_hashes
from routesim.scenario.format.kinds import Reader, Unreadable
from routesim.scenario.imports.sight import KINDS, ForeignKind, kind_of
from routesim.scenario.sections.declarations import Declarations
from routesim.scenario.yaml.nodes import Mapping, Text
from routesim.scenario.yaml.source import QuietSource, Source, read_source


class Inclusion:
    """Reads what is included into `declarations`. `source`: the scenario's own; `folder`: where its files are; `of_file`: tells a
    severity, a problem and its cure of the file as a whole."""

    def __init__(
        self, reader: Reader, declarations: Declarations, source: Source, folder: str, of_file: Callable[[str, str, str], None]
    ) -> None:
        self.reader = reader
        self.declarations = declarations
        self.source = source
        self.folder = folder
        self.of_file = of_file

    def definitions(
        self,
        source: Source,
        by_vhost: ByVhost,
        node: Mapping | None,
        vhost: str,
        version: str | None,
        *,
        vhost_given: bool,
        whole: bool = True,
    ) -> reading.Definitions:
        """`whole`: also what there is to say of the file whatever the virtual host is."""
        found, problems, place = reading.read(
            source, by_vhost, node, str(vhost), version, vhost_given=vhost_given, whole=whole
        )  # fmt: skip
        access = [("definitions-access", told) for told in unlisted(by_vhost)] if whole else []
        access += [("definitions-access", told) for told in access_problems(by_vhost, str(vhost))]
        access += [("definitions-refused", told) for told in refused(by_vhost)] if whole else []
        for code, told in access:
            line, column, width = place(told.path)
            problem = source.diagnostic(told.severity, code, told.message, line, column, width, told.cure)
            problems.append(problem._replace(source=""))  # the line may hold what is not to be shown
        findings = [*access_findings(by_vhost.data)] if whole else []
        findings += [("password-hash-useless", told) for told in useless_hashes(by_vhost)] if whole else []
        for code, told in (*findings, *plugin_findings(by_vhost, str(vhost))):
            line, column, width = place(told.path)
            finding = source.diagnostic(told.severity, code, told.message, line, column, width, told.cure)
            self.reader.findings.append(finding._replace(source=""))  # the line may hold what is not to be shown
        if found.other_vhosts and vhost_given and not any(item.severity == "error" for item in problems):
            cure, text = f"choose one of: {', '.join(found.other_vhosts[:5])}", f"nothing is declared in vhost '{vhost}'"
            if isinstance(vhost, Text):
                self.reader.error("unknown-vhost", text, vhost, cure)
            elif source is not self.source:  # of --vhost
                self.of_file("error", text, cure)
        for item in problems:
            refusal = self.declarations.lenient and item.severity == "error" and item.code.startswith("definitions-")
            (self.reader.findings if refusal else self.reader.diagnostics).append(item)
        self.declarations.include(found, source, place)
        return found

    def files(self, paths: Iterable[Text], vhost: str, version: str | None, *, given: bool) -> list[reading.Definitions]:
        """The definitions files, files of other programs and folders of Kubernetes objects that a scenario names."""
        found = []
        for path in paths:
            source = None
            try:
                objects = self._objects_in(os.path.join(self.folder, path))
                if objects:
                    found += self._foreign(KINDS["topology-operator"], objects, str(vhost), path)
                    continue
                source = read_source(os.path.join(self.folder, path), piped=False)
                if os.path.realpath(source.file) == os.path.realpath(self.source.file):
                    raise self.reader.error("includes-itself", "this file includes itself", path)
                kind = kind_of(source.text)
                if kind is not None:
                    found += self._foreign(kind, [source], str(vhost), path)
                    continue
                data = list_form.read_json(source)
            except Invalid as invalid:
                problem = invalid.diagnostics[0]
                if problem.code == "not-json" and source is not None and not source.text.lstrip().startswith("{"):
                    # A path may lead anywhere: what is no JSON at all is not shown.
                    self.reader.error("not-json", f"'{path}' is no definitions file: it is not JSON", path)
                elif problem.code in ("unreadable-file", "not-text"):
                    self.reader.error("unreadable-file", f"'{path}': {problem.message}", path, problem.cure)
                else:
                    self.reader.diagnostics.extend(invalid.diagnostics)
                continue
            except Unreadable:
                continue
            if not isinstance(data, dict):
                self.reader.error("wrong-type", f"'{path}' is no definitions file: its JSON is not an object", path)
                continue
            found.append(self.definitions(source, ByVhost(data), None, vhost, version, vhost_given=given))
        return found

    @staticmethod
    def _objects_in(path: str) -> list[Source]:
        """The files of Kubernetes objects in a folder. Raises `Invalid`."""
        if not os.path.isdir(path):
            return []
        from routesim.scenario.imports.folders import sources_in  # few scenarios include one

        return sources_in(path)

    def _foreign(self, kind: ForeignKind, sources: list[Source], vhost: str, path: Text) -> list[reading.Definitions]:
        """What another program's files declare beside the scenario. Raises `Invalid`."""
        from routesim.scenario.imports.gathered import gathered_from  # few scenarios include one

        found = gathered_from(kind, [QuietSource(source.file, source.text) for source in sources])
        parts = found.parts(vhost)
        for part in parts:
            self.declarations.include(part.found, part.document.source, part.document.place)
        self.reader.diagnostics.extend(found.all_diagnostics())
        if found.vhosts and not parts:
            cure = f"choose one of: {', '.join(found.vhosts[:5])}"
            self.reader.error("unknown-vhost", f"'{path}' declares nothing in vhost '{vhost}'", path, cure)
        return [part.found for part in parts]
