"""The objects that are applied together, with what they must agree with: rules look across objects,
not only into one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from scripts.check_manifests.documents import Document, JsonObject, listed, mapped
from scripts.check_manifests.facts import AppFacts
from scripts.check_manifests.findings import Path


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod template somewhere in a document."""

    document: Document
    template_path: Path

    @property
    def spec_path(self) -> Path:
        return (*self.template_path, "spec")

    @property
    def spec(self) -> JsonObject:
        return mapped(self.document.get(*self.spec_path))

    @property
    def labels(self) -> JsonObject:
        """Its labels, with those that Knative adds to the pods of a service."""
        labels = dict(mapped(self.document.get(*self.template_path, "metadata", "labels")))
        if self.document.is_knative_service:
            labels["serving.knative.dev/service"] = self.document.name
        return labels

    def containers(self) -> Iterator[tuple[Path, JsonObject]]:
        for key in ("initContainers", "containers"):
            for index, container in enumerate(listed(self.spec.get(key))):
                yield (*self.spec_path, key, index), mapped(container)


@dataclass(frozen=True, slots=True)
class ManifestSet:
    label: str  # "knative/base", or an overlay's folder
    documents: list[Document]
    facts: AppFacts
    documented_keys: frozenset[tuple[str, str]] = frozenset()  # (Secret, key) rows of knative/README.md
    generated_config: dict[str, dict[str, str]] = field(default_factory=dict)  # configMapGenerator, when not rendered
    production: bool = False

    def of_kind(self, kind: str, group: str = "") -> Iterator[Document]:
        return (d for d in self.documents if d.kind == kind and d.group == group)

    def knative_services(self) -> Iterator[Document]:
        return self.of_kind("Service", "serving.knative.dev")

    def pods(self) -> Iterator[Pod]:
        for document in self.documents:
            if document.is_knative_service or (document.kind, document.group) in _WITH_TEMPLATE:
                yield Pod(document, ("spec", "template"))
            elif document.kind == "CronJob":
                yield Pod(document, ("spec", "jobTemplate", "spec", "template"))

    def config_maps(self) -> dict[str, dict[str, str]]:
        found = {d.name: mapped(d.get("data")) for d in self.of_kind("ConfigMap")}
        return found | self.generated_config

    def plain_environment(self, container: JsonObject) -> dict[str, str]:
        """Variables whose values are written in the manifests (ConfigMaps first, as Kubernetes does), not Secrets'."""
        environment: dict[str, str] = {}
        for source in listed(container.get("envFrom")):
            name = mapped(mapped(source).get("configMapRef")).get("name", "")
            environment |= {k: str(v) for k, v in self.config_maps().get(name, {}).items()}
        for entry in listed(container.get("env")):
            if "value" in mapped(entry):
                environment[str(entry.get("name"))] = str(entry["value"])
        return environment


_WITH_TEMPLATE = {("Deployment", "apps"), ("StatefulSet", "apps"), ("DaemonSet", "apps"), ("Job", "batch")}
