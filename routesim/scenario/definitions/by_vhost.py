"""The items of a definitions file by their virtual hosts: one look through a file serves all of its virtual hosts."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from routesim.scenario.definitions.list_form import DECLARING, SECTIONS, items_of, names_vhosts

NONE = None  # the virtual host of an item that names none, and of what is no object


class ByVhost:
    """`data`: the whole file, which stays as it is. `several`: it names the virtual host of each item."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.several = names_vhosts(data)
        self._indexes: dict[str, dict[str | None, Sequence[int]]] = {}
        self._named: dict[str, dict[str, list[int]]] = {}
        self._no_text: set[str] = set()  # what stands where a virtual host is named, and is no text
        self._vhosts: tuple[str, ...] | None = None
        self._declared: list[str] | None = None

    def section(self, name: str) -> list[Any]:
        """All that stands in a section; nothing where it is no list."""
        items = self.data.get(name)
        return items if isinstance(items, list) else []

    def indexes(self, section: str, vhost: str) -> Sequence[int]:
        """Of what in a section names this virtual host, or none, or is no object."""
        found = self._grouped(section)
        own, unnamed = found.get(vhost, []), found.get(NONE, [])
        return sorted([*own, *unnamed]) if own and unnamed else own or unnamed

    def first_of_each(self, section: str) -> Iterator[tuple[int, str]]:
        """The virtual hosts that the items of a section name, each with the index of the first that does, in their order."""
        return ((indexes[0], vhost) for vhost, indexes in self._grouped(section).items() if vhost is not NONE)

    def items(self, section: str, vhost: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The objects among them, each with its index; none whose virtual host is null."""
        found = ((index, self.section(section)[index]) for index in self.indexes(section, vhost))
        return ((index, item) for index, item in found if isinstance(item, dict) and item.get("vhost", vhost) == vhost)

    def named(self, section: str) -> dict[str, list[int]]:
        """What the objects of a section are called, with the indexes of those that are called so."""
        if section not in self._named:
            found = self._named[section] = {}
            for index, item in enumerate(self.section(section)):
                if isinstance(item, dict) and isinstance(item.get("name"), str):
                    found.setdefault(item["name"], []).append(index)
        return self._named[section]

    def vhosts(self) -> tuple[str, ...]:
        """All that the items of a topology and its parameters name, sorted."""
        if self._vhosts is None:
            named = {vhost for section in SECTIONS for vhost in self._grouped(section) if vhost is not NONE}
            self._vhosts = tuple(sorted(named | self._no_text))
        return self._vhosts

    def declared(self) -> list[str]:
        """Those in which it declares something, in its order."""
        if self._declared is None:
            policies = (item for item in items_of(self.data, "parameters") if item.get("component") == "operator_policy")
            found = dict.fromkeys(vhost for section in DECLARING for vhost in self._named_in(section))
            self._declared = list(found | dict.fromkeys(_vhosts_of(policies)))
        return self._declared

    def _named_in(self, section: str) -> Iterable[str]:
        groups = self._grouped(section)
        if NONE in groups or sum(map(len, groups.values())) < len(self.section(section)):  # null, or no text, counts as written
            return _vhosts_of(items_of(self.data, section))
        return (vhost for vhost in groups if vhost is not NONE)

    def _grouped(self, section: str) -> dict[str | None, Sequence[int]]:
        if section not in self._indexes:
            self._indexes[section] = self._groups(self.section(section))
        return self._indexes[section]

    def _groups(self, items: list[Any]) -> dict[str | None, Sequence[int]]:
        vhosts = [item.get("vhost") if isinstance(item, dict) else NONE for item in items]
        first = vhosts[0] if vhosts else NONE
        if isinstance(first, str) and vhosts.count(first) == len(vhosts):  # as in most files, and there may be a million
            return {first: range(len(vhosts))}
        found: dict[str | None, list[int]] = {}
        for index, vhost in enumerate(vhosts):
            if vhost is NONE or isinstance(vhost, str):
                found.setdefault(vhost, []).append(index)
            else:
                self._no_text.add(str(vhost))
        return {**found}


def _vhosts_of(items: Iterable[dict[str, Any]]) -> Iterator[str]:
    """That of each item that names one."""
    return (str(item["vhost"]) for item in items if "vhost" in item)
