"""R9, R10, R14, R15, R17, R18: what holds between objects, and for the objects around the pods."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.check_manifests.documents import Document, JsonObject, listed, mapped, number
from scripts.check_manifests.findings import Finding, Path
from scripts.check_manifests.manifest_set import ManifestSet

VISIBILITY = "networking.knative.dev/visibility"
BUDGET = "nestor/database-connections-max"  # annotation of the Namespace
MAX_SCALE = "autoscaling.knative.dev/max-scale"
RELEASE = "app.kubernetes.io/version"
REVISIONS_AT_ONCE = 2  # a draining revision and its successor both hold their connections
KEDA_CONNECTIONS = 1  # one for each ScaledObject with a postgresql trigger


def private_services(manifests: ManifestSet) -> Iterator[Finding]:
    """R9: a DomainMapping makes a cluster-local service public."""
    private = {
        s.name for s in manifests.knative_services() if s.get("metadata", "labels", VISIBILITY) == "cluster-local"
    }
    for mapping in manifests.of_kind("DomainMapping", "serving.knative.dev"):
        name = mapping.get("spec", "ref", "name")
        if name in private:
            message = f"expected a public service, found {name}, which is cluster-local and would become public"
            yield mapping.finding("R9", ("spec", "ref", "name"), message)


def connection_budget(manifests: ManifestSet) -> Iterator[Finding]:
    """R10: every function has a cap, and all caps together fit what the database grants."""
    functions = workers = 0.0
    for pod in manifests.pods():
        pools = sum(_pool(manifests, container) for _, container in pod.containers())
        if pod.document.is_knative_service:
            path: Path = ("spec", "template", "metadata", "annotations", MAX_SCALE)
            most = number(pod.document.get(*path))
            if not most:
                yield pod.document.finding("R10", path, "expected a cap above 0: it protects the database")
                continue
            functions += most * pools
        elif pod.document.kind == "Deployment":
            workers += _replicas_max(manifests, pod.document) * pools
        else:
            workers += pools
    looks = sum(
        KEDA_CONNECTIONS
        for scaled in manifests.of_kind("ScaledObject", "keda.sh")
        if any(mapped(t).get("type") == "postgresql" for t in listed(scaled.get("spec", "triggers")))
    )
    needed = functions * REVISIONS_AT_ONCE + workers + looks
    for namespace in manifests.of_kind("Namespace"):
        path = ("metadata", "annotations", BUDGET)
        granted = number(namespace.get(*path))
        if granted is None:
            yield namespace.finding(
                "R10", path, "expected the number of connections that the database grants, found none"
            )
        elif needed > granted:
            message = (
                f"expected at least {needed:g} (functions {functions:g} x {REVISIONS_AT_ONCE} + workers {workers:g} "
                f"+ KEDA {looks}), found {granted:g}"
            )
            yield namespace.finding("R10", path, message)


def _pool(manifests: ManifestSet, container: JsonObject) -> float:
    """Count the connections of one pod, which runs one process."""
    value = manifests.plain_environment(container).get("DATABASE_POOL_MAX", manifests.facts.database_pool_max)
    return number(value) or manifests.facts.database_pool_max


def _replicas_max(manifests: ManifestSet, deployment: Document) -> float:
    for scaled in manifests.of_kind("ScaledObject", "keda.sh"):
        if scaled.get("spec", "scaleTargetRef", "name") == deployment.name:
            return number(scaled.get("spec", "maxReplicaCount")) or 100  # KEDA's own default
    return number(deployment.get("spec", "replicas")) or 1


def disruption_budgets(manifests: ManifestSet) -> Iterator[Finding]:
    """R14: `minAvailable: 1` on what runs one pod or none blocks every node drain. Each long-lived pod has a budget."""
    selectors = []
    for budget in manifests.of_kind("PodDisruptionBudget", "policy"):
        if "minAvailable" in mapped(budget.get("spec")):
            yield budget.finding(
                "R14", ("spec", "minAvailable"), "expected maxUnavailable only: this blocks node drains"
            )
        if budget.get("spec", "maxUnavailable") in (None, 0, "0", "0%"):
            yield budget.finding("R14", ("spec", "maxUnavailable"), "expected at least 1")
        if not mapped(budget.get("spec", "selector")):
            yield budget.finding(
                "R14", ("spec", "selector"), "expected a selector, found none, which selects nothing of ours"
            )
        selectors.append(mapped(budget.get("spec", "selector")))
    for pod in manifests.pods():
        if pod.document.kind not in ("Job", "CronJob") and not any(s and selects(s, pod.labels) for s in selectors):
            yield pod.document.finding(
                "R14", pod.template_path, "expected a PodDisruptionBudget that selects these pods"
            )


def network_policies(manifests: ManifestSet) -> Iterator[Finding]:
    """R15: all is denied but what a policy of the pod's own allows."""
    policies = list(manifests.of_kind("NetworkPolicy", "networking.k8s.io"))
    everyone = [p for p in policies if p.get("spec", "podSelector") == {}]
    denied = {t for p in everyone if not _allows(p) for t in listed(p.get("spec", "policyTypes"))}
    for pod in manifests.pods():
        own = [p for p in policies if p not in everyone and selects(mapped(p.get("spec", "podSelector")), pod.labels)]
        if not own:
            yield pod.document.finding(
                "R15", pod.template_path, "expected a NetworkPolicy that selects these pods by label"
            )
        for direction in ("Ingress", "Egress"):
            if direction not in denied:
                message = f"expected a NetworkPolicy that selects every pod and denies {direction}"
                yield pod.document.finding("R15", pod.template_path, message)


def _allows(policy: Document) -> bool:
    return bool(listed(policy.get("spec", "ingress")) or listed(policy.get("spec", "egress")))


def selects(selector: JsonObject, labels: JsonObject) -> bool:
    """Kubernetes' label selector: everything listed must hold."""
    if any(labels.get(key) != value for key, value in mapped(selector.get("matchLabels")).items()):
        return False
    for rule in map(mapped, listed(selector.get("matchExpressions"))):
        value, values = labels.get(str(rule.get("key"))), listed(rule.get("values"))
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not holds.get(str(rule.get("operator")), False):
            return False
    return True


def job_release(manifests: ManifestSet) -> Iterator[Finding]:
    """R17: a Job's template cannot be changed, so each release has a Job of its own name."""
    for job in manifests.of_kind("Job", "batch"):
        release = job.get("metadata", "labels", RELEASE)
        if release is None:
            yield job.finding("R17", ("metadata", "labels", RELEASE), "expected the release, found none")
        elif not job.name.endswith("-" + str(release).replace(".", "-")):
            message = f"expected a name that ends with -{str(release).replace('.', '-')}, found {job.name}"
            yield job.finding("R17", ("metadata", "name"), message)


_CURRENT = {  # (group, kind) -> version, from the projects' CRDs
    ("serving.knative.dev", "Service"): "v1",
    ("serving.knative.dev", "DomainMapping"): "v1beta1",
    ("sources.knative.dev", "PingSource"): "v1",
    ("keda.sh", "ScaledObject"): "v1alpha1",
    ("keda.sh", "TriggerAuthentication"): "v1alpha1",
    ("rabbitmq.com", "RabbitmqCluster"): "v1beta1",
    ("postgresql.cnpg.io", "Cluster"): "v1",
    ("external-secrets.io", "ExternalSecret"): "v1",
    ("monitoring.coreos.com", "PodMonitor"): "v1",
    ("batch", "CronJob"): "v1",
    ("policy", "PodDisruptionBudget"): "v1",
}


def current_api_versions(manifests: ManifestSet) -> Iterator[Finding]:
    """R18: a deprecated version works until the day of an upgrade."""
    for document in manifests.documents:
        expected = _CURRENT.get((document.group, document.kind))
        found = document.api_version.rpartition("/")[2]
        if expected is not None and found != expected:
            yield document.finding("R18", ("apiVersion",), f"expected {document.group}/{expected}, found {found}")
