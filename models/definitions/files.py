"""Read definition files: YAML with the booleans of YAML 1.2 (`on` is a word, not true), no duplicate keys, bounded size.

Loaded by scripts only; functions and workers read what was published.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from models.kernel.errors import FieldProblem, Invalid

file_bytes_max = 512 * 1024  # the largest life cycle we know of has 60 kB; PyYAML reads about 1 MB a second
aliases_max = 100  # anchors are a convenience; thousands of them are a bomb


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2 booleans."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.MarkedYAMLError(
                problem=f"expected a text key, found {key!r}", problem_mark=key_node.start_mark
            )
        if key in seen:
            raise yaml.MarkedYAMLError(
                problem=f"key {key!r} is there twice", problem_mark=key_node.start_mark
            )
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read(path: Path) -> tuple[dict[str, Any], str]:
    """A definition file's content and its source text. Raises Invalid with file:line:column and what was expected."""
    size = path.stat().st_size
    if size > file_bytes_max:
        raise Invalid([FieldProblem(str(path), f"expected at most {file_bytes_max} bytes, found {size}")])
    try:
        source = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Invalid([FieldProblem(str(path), f"not UTF-8: {error}")]) from error
    try:
        # Anchors are counted before anything is built: aliases of aliases grow without bound (the "billion laughs").
        aliases = sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(source, _Loader))
        if aliases > aliases_max:
            raise Invalid(
                [FieldProblem(str(path), f"expected at most {aliases_max} aliases, found {aliases}")]
            )
        body = yaml.load(source, _Loader)  # noqa: S506 -- a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise Invalid([FieldProblem(place, str(error.problem or error.context))]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise Invalid([FieldProblem(str(path), f"not YAML: {error}")]) from error
    if not isinstance(body, dict):
        raise Invalid([FieldProblem(f"{path}:1:1", "expected a mapping")])
    return body, source
