"""Kubernetes' custom resource schemas, as strict JSON Schema.

A CRD's openAPIV3Schema lets unknown fields pass, because the API server prunes them. A pruned field is a misspelt one,
so objects that list their properties are closed here. The CRD files are third-party data in `CRD_DIR`; they are read
where they lie and never copied into the repository.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from scripts.check_manifests.documents import JsonObject, mapped

Schema = JsonObject
SCALERS_FILE = "keda.scalers-schema.json"
_OPEN = {"additionalProperties", "x-kubernetes-preserve-unknown-fields"}
_JUNCTORS = ("anyOf", "allOf", "oneOf")
_KEPT = (
    "type",
    "enum",
    "required",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "uniqueItems",
    "multipleOf",
    "exclusiveMinimum",
    "exclusiveMaximum",
)


class CrdFolder:
    """The schemas of one folder; each file is parsed when the first object of its kind comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._schemas: dict[tuple[str, str], Schema | None] = {}

    def schema_for(self, api_version: str, kind: str) -> Schema | None:
        """The strict schema of that kind and version; None when the folder has none."""
        key = (api_version, kind)
        if key not in self._schemas:
            self._schemas[key] = self._load(api_version, kind)
        return self._schemas[key]

    def _load(self, api_version: str, kind: str) -> Schema | None:
        group, _, version = api_version.rpartition("/")
        for text in self._texts.values():
            if f"kind: {kind}\n" not in text or f"group: {group}\n" not in text:
                continue  # some of these files take a second to parse
            for crd in yaml.load_all(text, yaml.CSafeLoader):
                spec = mapped(mapped(crd).get("spec"))
                if spec.get("group") != group or mapped(spec.get("names")).get("kind") != kind:
                    continue
                for candidate in spec.get("versions", []):
                    if candidate.get("name") == version:
                        return _with_metadata(strict_schema(candidate["schema"]["openAPIV3Schema"]))
        return None

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("*.yaml"))}

    @cached_property
    def scalers(self) -> dict[str, list[JsonObject]]:
        """KEDA's trigger types with their parameters; empty when the list is absent."""
        path = self.folder / SCALERS_FILE
        if not path.is_file():
            return {}
        return {s["type"]: s["parameters"] for s in json.loads(path.read_text(encoding="utf-8"))["scalers"]}


def _with_metadata(schema: Schema) -> Schema:
    for name in ("apiVersion", "kind", "metadata"):
        schema.setdefault("properties", {}).setdefault(name, {})
    return schema


def strict_schema(source: Mapping[str, Any], *, structural: bool = True) -> Schema:
    """A JSON Schema of `source`; with `structural`, objects that list properties take no others.

    Inside anyOf, allOf, oneOf and not, properties are conditions on an object that is described elsewhere: those stay
    open.
    """
    result: Schema = {key: source[key] for key in _KEPT if key in source}
    result |= _parts(source, structural=structural)
    for junctor in _JUNCTORS:
        if junctor in source:
            result[junctor] = [strict_schema(part, structural=False) for part in source[junctor]]
    if "not" in source:
        result["not"] = strict_schema(source["not"], structural=False)
    if source.get("x-kubernetes-int-or-string"):
        result["type"] = ["string", "integer"]
    if source.get("nullable"):
        _allow_null(result)
    return result


def _parts(source: Mapping[str, Any], *, structural: bool) -> Schema:
    """Return the schemas of the properties and the items of `source`."""
    result: Schema = {}
    if "properties" in source:
        properties = mapped(source["properties"])
        result["properties"] = {k: strict_schema(mapped(v), structural=structural) for k, v in properties.items()}
    if isinstance(source.get("items"), Mapping):
        result["items"] = strict_schema(source["items"], structural=structural)
    if isinstance(source.get("additionalProperties"), Mapping):
        result["additionalProperties"] = strict_schema(source["additionalProperties"], structural=structural)
    elif structural and "properties" in source and not _OPEN & set(source):
        result["additionalProperties"] = False
    return result


def _allow_null(schema: Schema) -> None:
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
