"""The rules, one function each, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scripts.check_manifests.findings import Finding
from scripts.check_manifests.manifest_set import ManifestSet
from scripts.check_manifests.rules import agreement, cluster, knative_service, pods, scaling

Rule = Callable[[ManifestSet], Iterator[Finding]]

RULES: dict[str, Rule] = {
    "R1": knative_service.autoscaling_annotations,
    "R2": knative_service.refused_fields,
    "R3": knative_service.reserved_names,
    "R4": knative_service.probes,
    "R5": knative_service.timeouts,
    "R6": pods.restricted_security,
    "R7": pods.resources,
    "R8": knative_service.traffic,
    "R9": cluster.private_services,
    "R10": cluster.connection_budget,
    "R11": scaling.scaled_objects,
    "R12": pods.grace_period,
    "R13": agreement.names,
    "R14": cluster.disruption_budgets,
    "R15": cluster.network_policies,
    "R16": pods.image_by_digest,
    "R17": cluster.job_release,
    "R18": cluster.current_api_versions,
}


def check_rules(manifests: ManifestSet) -> Iterator[Finding]:
    for rule in RULES.values():
        yield from rule(manifests)
