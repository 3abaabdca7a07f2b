"""Checks objects against Kubernetes' own schemas and the CRDs', and counts what could not be checked."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from scripts.check_manifests.crds import CrdFolder, Schema
from scripts.check_manifests.documents import Document, JsonObject, listed, mapped
from scripts.check_manifests.findings import Finding, Path

KUBERNETES_VERSION = "1.35"  # what Knative 1.23 builds against
MESSAGE_CHARS_MAX = 300  # jsonschema quotes the whole object; its beginning is enough to find it
_KNATIVE_ONLY = (
    "containerConcurrency",
    "timeoutSeconds",
    "responseStartTimeoutSeconds",
    "idleTimeoutSeconds",
)


@dataclass(slots=True)
class SchemaCheck:
    """One run; `crds` None means that the folder is absent."""

    crds: CrdFolder | None
    checked: int = 0
    unchecked: dict[str, int] = field(default_factory=dict)  # reason -> objects

    def check(self, document: Document) -> Iterator[Finding]:
        if is_custom(document):
            yield from self._check_custom(document)
        elif find_spec("kubernetes_validate") is None:
            self._skip("kubernetes-validate is not installed")
        else:
            schema = _core_schema(document.kind, document.api_version)
            if schema is None:
                message = f"expected a kind of Kubernetes {KUBERNETES_VERSION}, found {document.api_version}"
                yield document.finding("schema", ("apiVersion",), message)
                return
            self.checked += 1
            yield from _errors(document, document.data, schema)

    def _check_custom(self, document: Document) -> Iterator[Finding]:
        yield from _metadata_strings(document)
        if document.is_knative_service and find_spec("kubernetes_validate") is not None:
            schema = _core_schema("Deployment", "apps/v1")
            assert schema is not None
            yield from _errors(document, as_deployment(document), schema)
        if self.crds is None:
            self._skip("schemas not present")
            return
        schema = self.crds.schema_for(document.api_version, document.kind)
        if schema is None:
            self._skip(f"no schema of {document.api_version} {document.kind} in {self.crds.folder}")
            return
        self.checked += 1
        yield from _errors(document, document.data, schema)

    def _skip(self, reason: str) -> None:
        self.unchecked[reason] = self.unchecked.get(reason, 0) + 1

    def check_triggers(self, documents: list[Document]) -> Iterator[Finding]:
        """KEDA's trigger parameters (part of R11): an unknown one is ignored in silence, the default counts."""
        if self.crds is None or not self.crds.scalers:
            return  # counted: ScaledObjects are unchecked then
        credentials = {d.name: d for d in documents if d.kind == "TriggerAuthentication"}
        for scaled in (d for d in documents if d.kind == "ScaledObject"):
            for index, trigger in enumerate(listed(scaled.get("spec", "triggers"))):
                path: Path = ("spec", "triggers", index)
                yield from _trigger_parameters(self.crds, scaled, path, mapped(trigger), credentials)


def is_custom(document: Document) -> bool:
    """Kubernetes' own groups have no dot (apps, batch) or end in k8s.io."""
    return "." in document.group and not document.group.endswith(".k8s.io")


def as_deployment(service: Document) -> JsonObject:
    """A Knative Service's template as a Deployment, so that Kubernetes' full pod schema applies to it."""
    template = copy.deepcopy(mapped(service.get("spec", "template")))
    spec = mapped(template.get("spec"))
    for key in _KNATIVE_ONLY:
        spec.pop(key, None)
    for container in map(mapped, listed(spec.get("containers"))):
        for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
            request = mapped(mapped(container.get(probe)).get("httpGet"))
            if request:
                request.setdefault("port", 8080)  # Knative fills it in; Kubernetes requires it
    metadata = mapped(template.get("metadata"))
    metadata.pop("name", None)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": service.get("metadata"),
        "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": metadata, "spec": spec}},
    }


def _metadata_strings(document: Document) -> Iterator[Finding]:
    """CRDs do not describe metadata; the API server refuses a value that is no string."""
    for field_name in ("labels", "annotations"):
        for key, value in mapped(document.get("metadata", field_name)).items():
            if not isinstance(value, str):
                path: Path = ("metadata", field_name, str(key))
                yield document.finding("schema", path, f"expected a string, found {value!r}; quote it")


@lru_cache(maxsize=64)
def _core_schema(kind: str, api_version: str) -> Schema | None:
    from kubernetes_validate.utils import all_versions, schema_contents

    version = next(v for v in reversed(all_versions()) if v.startswith(f"{KUBERNETES_VERSION}."))
    group, _, number = api_version.rpartition("/")
    stem = "-".join(part for part in (kind.lower(), group.partition(".")[0], number) if part)
    try:
        contents = schema_contents(f"kubernetes-json-schema/v{version}-local-strict/{stem}.json", version)
    except FileNotFoundError:
        return None
    return mapped(contents)


@lru_cache(maxsize=1)
def _definitions() -> Any:
    from kubernetes_validate.utils import all_versions, schema_contents
    from referencing import Resource

    version = next(v for v in reversed(all_versions()) if v.startswith(f"{KUBERNETES_VERSION}."))
    path = f"kubernetes-json-schema/v{version}-local-strict/_definitions.json"
    return Resource.from_contents(schema_contents(path, version))


def _errors(document: Document, data: JsonObject, schema: Schema) -> Iterator[Finding]:
    """All errors of an object, where kubernetes-validate itself stops at the first."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry, Resource

    registry: Any = Registry()
    if "$id" in schema or "$schema" in schema:
        registry = _definitions() @ (Resource.from_contents(schema) @ registry)
    for error in Draft202012Validator(schema, registry=registry).iter_errors(data):
        nearest = best_match([error])
        path = tuple(step if isinstance(step, int) else str(step) for step in nearest.absolute_path)
        yield document.finding("schema", path, _short(nearest.message))


def _short(message: str) -> str:
    return message if len(message) <= MESSAGE_CHARS_MAX else message[:MESSAGE_CHARS_MAX] + "..."


def _credential_parameters(credential: Document | None) -> list[str]:
    targets = listed(credential.get("spec", "secretTargetRef")) if credential is not None else []
    return [str(mapped(target).get("parameter")) for target in targets]


def _trigger_parameters(
    crds: CrdFolder, scaled: Document, path: Path, trigger: JsonObject, credentials: dict[str, Document]
) -> Iterator[Finding]:
    kind = trigger.get("type")
    if kind not in crds.scalers:
        yield scaled.finding("R11", (*path, "type"), f"expected a scaler of KEDA, found {json.dumps(kind)}")
        return
    parameters = {p["name"]: p for p in crds.scalers[kind]}
    given = set(mapped(trigger.get("metadata")))
    known = set(parameters) | {f"{n}FromEnv" for n, p in parameters.items() if p.get("envVariableReadable")}
    for name in sorted(given - known):
        message = f"unknown parameter of {kind}; known are {', '.join(sorted(parameters))}"
        yield scaled.finding("R11", (*path, "metadata", str(name)), message)
    given |= {name.removesuffix("FromEnv") for name in given}
    credential = credentials.get(str(mapped(trigger.get("authenticationRef")).get("name")))
    for index, name in enumerate(_credential_parameters(credential)):
        given.add(name)
        if credential is not None and not parameters.get(name, {}).get("triggerAuthenticationVariableReadable"):
            where: Path = ("spec", "secretTargetRef", index, "parameter")
            yield credential.finding("R11", where, f"expected a parameter of {kind}, found {name}")
    for name, parameter in parameters.items():
        if not parameter.get("optional") and "default" not in parameter and name not in given:
            message = "expected a value here or from the TriggerAuthentication, found none"
            yield scaled.finding("R11", (*path, "metadata", name), message)
