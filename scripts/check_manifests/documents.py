"""Reads manifests and keeps each value's line, so that a finding points at the line to change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from scripts.check_manifests.findings import Finding, Path

# A manifest, or a part of one: the Kubernetes API and its custom resources define the keys.
JsonObject: TypeAlias = dict[str, Any]


class ManifestUnreadable(Exception):
    """The file is not YAML, or a document in it is no Kubernetes object."""


@dataclass(frozen=True, slots=True)
class Document:
    source: str
    data: JsonObject
    lines: dict[Path, int] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return str(self.data["kind"])

    @property
    def api_version(self) -> str:
        return str(self.data["apiVersion"])

    @property
    def group(self) -> str:
        """`serving.knative.dev` of `serving.knative.dev/v1`; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def name(self) -> str:
        return str(self.get("metadata", "name", default="?"))

    @property
    def subject(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def is_knative_service(self) -> bool:
        return self.kind == "Service" and self.group == "serving.knative.dev"

    def get(self, *path: str | int, default: Any = None) -> Any:
        """The value at `path`, or `default` where a step is missing or is not what the step expects."""
        return dig(self.data, path, default)

    def finding(self, rule: str, path: Path, message: str) -> Finding:
        """A finding at `path`, with the line of its nearest written ancestor."""
        line = next((self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines), None)
        return Finding(self.source, line, self.subject, rule, path, message)


def dig(value: Any, path: Path, default: Any = None) -> Any:
    for step in path:
        in_list = isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)
        if not in_list and not (isinstance(value, dict) and step in value):
            return default
        value = value[step]
    return default if value is None else value


def listed(value: Any) -> list[Any]:
    """`value` when it is a list; a wrong type is the schema's finding, not a crash of a rule."""
    return value if isinstance(value, list) else []


def mapped(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def read_documents(text: str, source: str, *, with_lines: bool = True) -> list[Document]:
    """Raises ManifestUnreadable that names the file."""
    try:
        return list(_documents(text, source, with_lines=with_lines))
    except yaml.YAMLError as error:
        raise ManifestUnreadable(f"{source}: not YAML: {' '.join(str(error).split())}") from error


def _documents(text: str, source: str, *, with_lines: bool) -> Iterator[Document]:
    loader = yaml.CSafeLoader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            data = loader.construct_document(node)
            if data is None:
                continue
            if not isinstance(data, dict) or "kind" not in data or "apiVersion" not in data:
                raise ManifestUnreadable(f"{source}: expected objects with apiVersion and kind")
            lines: dict[Path, int] = {}
            if with_lines and node is not None:
                _collect_lines(node, (), lines)
            yield Document(source, data, lines)
    finally:
        loader.dispose()


def _collect_lines(node: yaml.Node, path: Path, lines: dict[Path, int]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            step = (*path, str(key.value))
            lines[step] = key.start_mark.line + 1
            _collect_lines(value, step, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _collect_lines(value, (*path, index), lines)


_DURATION = re.compile(r"^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$")


def duration_s(text: str) -> float | None:
    """Seconds of a Go duration as manifests use it (`90s`, `5m`, `1h30m`); None when it is none."""
    match = _DURATION.match(text)
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def number(value: Any) -> float | None:
    """The number that `value` is or spells; None when it is neither."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
