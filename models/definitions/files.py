"""Read definition files: YAML 1.2 core values, no duplicate keys, bounded size, includes within the folder, and places
for messages.

Loaded by scripts and by the checking of drafts only; functions and workers read what was published.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from models.definitions.places import Places as Places
from models.definitions.places import located as located
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject

file_bytes_max = 512 * 1024  # the largest life cycle we know of has 60 kB; PyYAML reads about 1 MB a second
aliases_max = 100  # anchors are a convenience; thousands of them are a bomb
nodes_max = 20_000  # after aliases: the largest life cycle has 5,000
depth_max = 40  # of nested lists and mappings; a definition has 8
includes_max = 20  # files of one definition, includes of includes counted
INCLUDE, FRAGMENT = "include", "fragment"


class _Loader(yaml.SafeLoader):
    """SafeLoader with the core schema of YAML 1.2: `on` is a word, 1:30 is a text, 2026-12-25 is a text."""


_CORE = (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:null", r"^(?:~|null|)$", "~n\0"),
    ("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]{0,17})$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?)$", "-+0123456789"),
)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:merge"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), [c if c != "\0" else "" for c in _first])


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.MarkedYAMLError(problem=f"expected a text key, found {key!r}", problem_mark=key_node.start_mark)
        if key in seen:
            raise yaml.MarkedYAMLError(problem=f"key {key!r} is there twice", problem_mark=key_node.start_mark)
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


@dataclass(frozen=True, slots=True)
class Document:
    """A definition as data, its text, and the position of each part. The body of a file with includes
    is the merged one.
    """

    body: JsonObject
    source: str
    places: Places

    def located(self, error: Invalid) -> Invalid:
        """Return the same problems, each with file:line:column."""
        return Invalid(located(error.problems, self.places))


def read(path: Path) -> tuple[JsonObject, str]:
    """Return a definition file's content and its source text. Raises Invalid with file:line:column and what was
    expected.
    """
    document = load(path)
    return document.body, document.source


def load(path: Path, root: Path | None = None) -> Document:
    """Return a definition file with what it includes; includes stay below `root` (the file's grandparent when it is not
    given).

    Raises Invalid with file:line:column and what was expected.
    """
    document = loads(_text_of(path), str(path))
    top = (root or path.resolve().parent.parent).resolve()
    _include(document, _OnDisk(path, top), chain=[path.resolve()], read=[0])
    return document


def assemble(path: str, texts: Callable[[str], str | None]) -> Document:
    """Return a definition whose files are texts by their paths, with what it includes. Raises Invalid.

    `texts`: the text of a path such as `shared/office_hours.yaml`, or None.
    """
    text = texts(path)
    if text is None:
        raise Invalid([FieldProblem(path, "there is no file of this path")])
    document = loads(text, path)
    _include(document, _InMemory(path, texts), chain=[path], read=[0])
    return document


def loads(source: str, name: str) -> Document:
    """Return a definition from its text. Raises Invalid."""
    if len(source) > file_bytes_max:
        raise Invalid([FieldProblem(name, f"expected at most {file_bytes_max} bytes, found {len(source)}")])
    try:
        _check_events(source, name)
        node = yaml.compose(source, _Loader)
        body = _constructed(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise Invalid([FieldProblem(place, str(error.problem or error.context))]) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Invalid([FieldProblem(name, f"not YAML: {error}")]) from error
    if not isinstance(body, dict):
        raise Invalid([FieldProblem(f"{name}:1:1", "expected a mapping")])
    places = Places(name)
    assert node is not None, "what has a body has a node"
    places.note(node)
    return Document(body, source, places)


# libyaml reads some 20 MB a second, PyYAML's own parser 0.1: a draft of 500 kB costs 11 s of a core with the latter.
_Counting: Any = getattr(yaml, "CSafeLoader", _Loader)


def _check_events(source: str, name: str) -> None:
    """Count before anything is composed: aliases of aliases grow without bound (the "billion laughs"), nesting ends the
    stack, and composing costs some 30 us for each value.
    """
    count = _Count(name)
    for event in yaml.parse(source, _Counting):
        count.add(event)


class _Count:
    """The aliases, levels and values of a file. An alias counts with the values of its anchor."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._aliases = self._values = 0
        self._open: list[tuple[str | None, int]] = []  # the anchor of each open collection, and the values before it
        self._sizes: dict[str, int] = {}

    def add(self, event: Any) -> None:
        """Count an event. Raises Invalid beyond a bound."""
        if isinstance(event, yaml.AliasEvent):
            self._aliases += 1
            if any(anchor == event.anchor for anchor, _ in self._open):
                self._refuse(event, f"*{event.anchor} stands inside of its own anchor")
            self._values += self._sizes.get(str(event.anchor), 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, self._values))
            self._values += 1
        elif isinstance(event, yaml.ScalarEvent):
            self._values += 1
            if event.anchor is not None:
                self._sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self._open.pop()
            if anchor is not None:
                self._sizes[anchor] = self._values - before
        self._check(event, self._aliases, aliases_max, "aliases")
        self._check(event, len(self._open), depth_max, "levels of nesting")
        self._check(event, self._values, nodes_max, "values (aliases count where they are used)")

    def _check(self, event: Any, found: int, most: int, of: str) -> None:
        if found > most:
            self._refuse(event, f"expected at most {most} {of}")

    def _refuse(self, event: Any, message: str) -> None:
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        raise Invalid([FieldProblem(f"{self._name}:{line}", message)])


def _constructed(node: yaml.Node) -> Any:
    loader = _Loader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _text_of(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > file_bytes_max:
            raise Invalid([FieldProblem(str(path), f"expected at most {file_bytes_max} bytes, found {size}")])
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Invalid([FieldProblem(str(path), f"not UTF-8: {error}")]) from error
    except OSError as error:
        raise Invalid([FieldProblem(str(path), f"cannot be read: {error.strerror}")]) from error


@dataclass(frozen=True, slots=True)
class _OnDisk:
    """The file at `path` of a folder, whose includes stay below `root`."""

    path: Path
    root: Path

    def key(self, name: str) -> Path:
        return (self.path.parent / name).resolve()

    def refusal(self, name: str) -> str | None:
        found = self.key(name)
        if not found.is_relative_to(self.root):
            return f"expected a file below {self.root.name}/, found {name!r}"
        return None if found.is_file() else f"there is no file {name!r}"

    def read(self, name: str) -> tuple[str, str]:
        """Return the text of an included file, and the name that messages give it."""
        return _text_of(self.key(name)), str(self.path.parent / name)

    def at(self, name: str) -> _OnDisk:
        return _OnDisk(self.key(name), self.root)


@dataclass(frozen=True, slots=True)
class _InMemory:
    """The file at `path` among texts."""

    path: str
    texts: Callable[[str], str | None]

    def key(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.path), name))

    def refusal(self, name: str) -> str | None:
        found = self.key(name)
        if found.startswith(("../", "/")):
            return f"expected a file of the same folder tree, found {name!r}"
        if self.texts(found) is None:
            return f"there is no file {found!r}: send it along, or publish it as a fragment"
        return None

    def read(self, name: str) -> tuple[str, str]:
        found = self.key(name)
        text = self.texts(found)
        assert text is not None, "`refusal` found it"
        return text, found

    def at(self, name: str) -> _InMemory:
        return _InMemory(self.key(name), self.texts)


def _include(document: Document, at: _OnDisk | _InMemory, *, chain: list[Path | str], read: list[int]) -> None:
    """Merge the files that `include` names, section by section; a name that is there twice is an error with both
    places.
    """
    wanted = document.body.pop(INCLUDE, None)
    if wanted is None:
        return
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise _wrong(document, f".{INCLUDE}", "expected a list of files")
    for index, name in enumerate(wanted):
        place = f".{INCLUDE}[{index}]"
        read[0] += 1
        refused = _refusal(name, at, chain=chain, read=read[0])
        if refused is not None:
            raise _wrong(document, place, refused)
        part = loads(*at.read(name))
        if FRAGMENT not in part.body:
            raise _wrong(
                document,
                place,
                f"expected a file that starts with `{FRAGMENT}:`, found a definition of its own",
            )
        part.body.pop(FRAGMENT)
        _include(part, at.at(name), chain=[*chain, at.key(name)], read=read)
        _merge(document, part)


def _refusal(name: str, at: _OnDisk | _InMemory, *, chain: list[Path | str], read: int) -> str | None:
    """Return the reason why a file must not be included, or None. `read`: how many files were included so far, with
    this one.
    """
    if at.key(name) in chain:
        circle = " -> ".join(posixpath.basename(str(one)) for one in [*chain, at.key(name)])
        return f"the files include each other: {circle}"
    if read > includes_max:
        return f"expected at most {includes_max} included files"
    return at.refusal(name)


def _merge(document: Document, part: Document) -> None:
    for section, content in part.body.items():
        here = document.body.setdefault(section, type(content)())
        if not isinstance(here, dict) or not isinstance(content, dict):
            raise _wrong(part, f".{section}", "only sections with names can be included")
        for name, value in content.items():
            if name in here:
                other = document.places.of(f".{section}.{name}")
                raise _wrong(part, f".{section}.{name}", f"{name} is there already, at {other}")
            here[name] = value
    for path, place in part.places.known.items():
        if path:
            document.places.known.setdefault(path, place)


def _wrong(document: Document, path: str, message: str) -> Invalid:
    return Invalid(located([FieldProblem(path, message)], document.places))
