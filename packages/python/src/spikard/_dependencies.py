"""What a route needs made before its handler: found by name and type, laid out as the callers of one route."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ._bind import Argument, Binder, InArgument, callable_of, takers_of
from ._bodies import Taken
from ._callable import HostArgument, HostCallable
from ._elsewhere import unknown_name
from ._functions import is_async, place
from ._hints import unwrap, without_none
from ._models import kind_of
from ._template import converters
from .di import Constant, Entries, Entry, Inferred, Provide
from .exceptions import SpecError


def check_entries(entries: Entries) -> None:
    """Every key that a dependency names is provided."""
    for key, entry in entries.items():
        if isinstance(entry, Constant):
            continue
        for needed in entry.depends_on or ():
            if needed not in entries:
                raise SpecError(f"{place(entry.factory)}: {unknown(label(key), 'depends_on', needed, entries)}")


def unknown(owner: str, what: str, key: object, entries: Entries) -> str:
    """The message for a key that nothing is provided for."""
    return f"{owner}: {unknown_name(what, 'dependency', label(key), map(label, entries))}"


def label(key: Any) -> str:
    """A key in words."""
    return key if isinstance(key, str) else getattr(key, "__qualname__", repr(key))


class Node:
    """A caller of one route: its handler, or a dependency, with what it takes."""

    def __init__(self, owner: int, name: str, function: Callable[..., Any], entry: Provide | None) -> None:
        self.owner, self.name, self.function, self.entry = owner, name, function, entry
        self.takers: list[Taken] = []
        self.taken: dict[str, Node | Constant] = {}
        self.after: list[Node] = []
        self.document: str | None = None

    @property
    def where(self) -> str:
        """Stands before what is said of one of its parameters."""
        return "" if self.entry is None else f"dependency {self.name!r} ({place(self.function)}): "

    @property
    def kind(self) -> str:
        """How a dependency is called. What only fills a model's fields cannot block."""
        assert self.entry is not None
        if is_async(self.function):
            return "async"
        return "inline" if not self.entry.sync_to_thread or kind_of(self.function) is not None else "thread"


class Needs:
    """The callers of one route."""

    def __init__(self, path: str, entries: Entries, replaced: Entries) -> None:
        self.path, self.entries, self.replaced = path, entries, replaced
        self.template = converters(path)
        self.nodes: list[Node] = []
        self.marked: set[Any] = set()
        """The functions that are named themselves, and not by a key."""
        self._known: dict[Any, Node | None] = {}
        self._open: list[str] = []
        self.rest = ""
        """What of the handler takes any keyword."""

    def visit_handler(self, function: Callable[..., Any], hints: Mapping[str, Any], beside: Iterable[Any]) -> Node:
        """The handler, and all that it needs; `beside` is needed though no parameter takes it."""
        node = Node(0, label(function), function, None)
        self.nodes.append(node)
        self._after(node, beside)
        node.takers, self.rest = takers_of(function, hints, self.path)
        self._take(node, None)
        return node

    def _after(self, node: Node, keys: Iterable[Any]) -> None:
        for key in keys:
            found = self._named(key)
            if found is None:
                raise SpecError(unknown(node.where or "dependencies", "the app", key, self.entries))
            made = self._node(*found)
            if isinstance(made, Node):
                node.after.append(made)

    def _named(self, key: Any) -> tuple[Any, Entry] | None:
        if isinstance(key, Provide):
            return self._explicit(key)
        if isinstance(key, (str, type)) and key in self.entries:
            return key, self.entries[key]
        return self._explicit(Provide(key)) if callable(key) else None

    def _explicit(self, given: Provide) -> tuple[Any, Entry]:
        self.marked.add(given.factory)
        entry = self.replaced.get(given.factory, given)
        return (given.factory, given.use_cache, given.scope, given.singleton), entry

    def _node(self, key: Any, entry: Entry) -> Node | Constant:
        if isinstance(entry, Constant):
            return entry
        name = label(key[0] if isinstance(key, tuple) else key)
        if key in self._known:
            known = self._known[key]
            if known is None:
                way = " -> ".join([*self._open[self._open.index(name) :], name])
                raise SpecError(f"the dependencies form a cycle: {way}")
            return known
        self._known[key] = None
        self._open.append(name)
        node = Node(len(self.nodes), name, entry.factory, entry)
        self.nodes.append(node)
        try:
            node.takers, _ = takers_of(entry.factory, entry.hints.resolve(), self.path, node.owner)
        except InArgument as error:
            raise SpecError(f"{node.where}{error}") from error.__cause__
        except SpecError as error:
            raise SpecError(f"{node.where}{error}") from None
        self._take(node, entry.depends_on)
        self._open.pop()
        self._known[key] = node
        return node

    def _take(self, node: Node, listed: tuple[Any, ...] | None) -> None:
        """Rule 4, and the parameters marked with `Depends`. `listed`: only these keys count."""
        left = list(listed or ())
        entries = self.entries if listed is None else {key: self.entries[key] for key in listed}
        found = {taken.name: self._source(taken, entries) for taken in node.takers}
        for key in (key for source in found.values() if source for key in source[:1]):
            if key in left:
                left.remove(key)
        bare = [taken for taken in node.takers if found[taken.name] is None and taken.bare]
        for taken, key in zip(bare, list(left), strict=False):  # a lambda has no annotations: in their order
            found[taken.name] = (key, self.entries[key])
            left.remove(key)
        self._after(node, left)
        for taken in node.takers:
            source = found[taken.name]
            if source is not None:
                node.taken[taken.name] = self._node(*source)
            else:
                self._warn(node, taken)

    def _source(self, taken: Taken, entries: Entries) -> tuple[Any, Entry] | None:
        plain, metadata = unwrap(without_none(taken.hint)[0])
        given = [one for one in (*metadata, taken.default) if isinstance(one, (Provide, Inferred))]
        if given:
            last = given[-1]
            return self._explicit(Provide(plain, **last.options) if isinstance(last, Inferred) else last)
        if taken.marker is not None or taken.name in self.template:
            return None
        keys = (plain, taken.name) if isinstance(plain, type) else (taken.name,)
        return next(((key, entries[key]) for key in keys if key in entries), None)

    def _warn(self, node: Node, taken: Taken) -> None:
        """A parameter whose name is one letter off."""
        if taken.marker is None and taken.name not in self.template and len(taken.name) > 2:
            near = [key for key in self.entries if isinstance(key, str) and one_letter_off(key, taken.name)]
            if near:
                file, _, line = place(node.function).rpartition(":")
                said = f"{node.where}parameter {taken.name!r} of {label(node.function)} is no dependency, but {near[0]!r} is"
                warnings.warn_explicit(said, UserWarning, file or "?", int(line) if line.isdigit() else 0)

    def free(self) -> list[Taken]:
        """The parameters that the request fills, the handler's first."""
        return [taken for node in self.nodes for taken in node.takers if taken.name not in node.taken]


def one_letter_off(one: str, other: str) -> bool:
    """One letter more, less, other, or two neighbours exchanged."""
    short, long = sorted((one, other), key=len)
    start = next((place for place, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short))
    rest, other_rest = short[start:], long[start:]
    if len(short) != len(long):
        return rest == other_rest[1:]
    return one != other and (
        rest[1:] == other_rest[1:] or (rest[:2] == other_rest[:2][::-1] and rest[2:] == other_rest[2:])
    )


class Documents:
    """The dependencies of an app as its document lists them: one entry for each way in which a route binds one."""

    def __init__(self, table: list[HostCallable]) -> None:
        self.table = table
        self.listed: list[dict[str, Any]] = []
        self._known: dict[Any, str] = {}

    def arguments_of(self, node: Node, binder: Binder) -> list[Argument]:
        """What a caller is given, in the order of its signature."""
        bound = {taken.name: (taken, spec, host) for taken, spec, host in binder.arguments if taken.owner == node.owner}
        arguments: list[Argument] = []
        for taken in node.takers:
            made = node.taken.get(taken.name)
            if isinstance(made, Constant):
                arguments.append((taken, "absent", HostArgument(made.value)))
            elif made is not None:
                arguments.append((taken, {"provide": self.name_of(made, binder)}, HostArgument()))
            elif taken.name in bound:
                arguments.append(bound.pop(taken.name))
        return [*arguments, *bound.values()]

    def name_of(self, node: Node, binder: Binder) -> str:
        """The name of a dependency's entry, which is made where there is none that is the same."""
        if node.document is None:
            node.document = self._enter(node, binder)
        return node.document

    def names_of(self, nodes: Iterable[Node], binder: Binder) -> list[str]:
        """Those of several."""
        return [self.name_of(node, binder) for node in nodes]

    def _enter(self, node: Node, binder: Binder) -> str:
        from ._render import encode

        entry = node.entry
        assert entry is not None
        made, arguments = callable_of(node.function, node.kind, node.owner, self.arguments_of(node, binder), binder)
        parameters: list[int] = []
        document: dict[str, Any] = {"arguments": [_own(argument, parameters) for argument in arguments]}
        document["parameters"] = [binder.parameters[index] for index in parameters]
        document["dependencies"] = self.names_of(node.after, binder)
        if made.generator:
            document["generator"] = True
            if entry.scope == "function":
                document["ends"] = "handler"
        if entry.singleton or not entry.use_cache:
            document["scope"] = "singleton" if entry.singleton else "call"
        if entry.concurrent:
            document["concurrent"] = True
        same = (node.function, entry.singleton, encode(document))
        if same not in self._known:
            names = {one["name"] for one in self.listed}
            self._known[same] = next(name for name in _numbered(node.name) if name not in names)
            self.listed.append({"name": self._known[same], "provider": len(self.table), **document})
            self.table.append(made)
        return self._known[same]


def _own(argument: Any, parameters: list[int]) -> Any:
    """An argument whose parameters are counted in a list of its own."""

    def place_of(index: int) -> int:
        if index not in parameters:
            parameters.append(index)
        return parameters.index(index)

    if isinstance(argument, dict) and "parameter" in argument:
        one = argument["parameter"]
        return {"parameter": {**one, "index": place_of(one["index"])}}
    if isinstance(argument, dict) and "model" in argument:
        model = argument["model"]
        return {"model": {**model, "parameters": [place_of(index) for index in model["parameters"]]}}
    return argument


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1
