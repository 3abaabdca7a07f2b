"""Each rule with its bad examples: the minimal set spoiled in one place; the finding names the rule and the place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scripts.check_manifests.minimal import (
    JOB,
    KSVC,
    PDB,
    POLICY,
    SCALED,
    WORKER,
    Change,
    Objects,
    at,
    container,
    findings_with,
    notes,
    pod,
    trigger,
)

SCALE = "autoscaling.knative.dev/"
TEMPLATE_NOTES = 'spec.template.metadata.annotations["autoscaling.knative.dev/'
BOX = "spec.template.spec.containers[0]"


def annotate(key: str, value: Any) -> Change:
    return lambda o: notes(o).update({SCALE + key: value})


def pod_field(key: str, value: Any, subject: str = KSVC) -> Change:
    return lambda o: pod(o, subject).update({key: value})


def box_field(key: str, value: Any, subject: str = KSVC) -> Change:
    return lambda o: container(o, subject).update({key: value})


def in_box(key: str, changes: dict[str, Any], subject: str = KSVC) -> Change:
    return lambda o: container(o, subject)[key].update(changes)


def env(entry: dict[str, Any], subject: str = KSVC) -> Change:
    return lambda o: container(o, subject)["env"].append(entry)


def volume(value: dict[str, Any], subject: str = KSVC) -> Change:
    return lambda o: pod(o, subject)["volumes"].append(value)


def args(words: str) -> Change:
    return box_field("args", words.split(), WORKER)


def trigger_field(**changes: Any) -> Change:
    return lambda o: trigger(o)["metadata"].update(changes)


def scaled(**changes: Any) -> Change:
    return lambda o: at(o, SCALED, "spec").update(changes)


def unset(subject: str, *path: str | int) -> Change:
    return lambda o: at(o, subject, *path[:-1]).pop(path[-1])


def put(subject: str, *path: str | int, value: Any) -> Change:
    def change(objects: Objects) -> None:
        at(objects, subject, *path[:-1])[path[-1]] = value

    return change


def domain_to_private(objects: Objects) -> None:
    at(objects, KSVC, "metadata", "labels")["networking.knative.dev/visibility"] = "cluster-local"
    objects["DomainMapping/desk"] = {
        "apiVersion": "serving.knative.dev/v1beta1",
        "kind": "DomainMapping",
        "metadata": {"name": "desk"},
        "spec": {"ref": {"name": "gateway"}},
    }


def traffic(*targets: dict[str, Any]) -> Change:
    return put(KSVC, "spec", "traffic", value=list(targets))


BAD: list[tuple[str, str, Change]] = [
    (
        "R1",
        f'metadata.annotations["{SCALE}min-scale"]',
        put(KSVC, "metadata", "annotations", value={SCALE + "min-scale": "1"}),
    ),
    ("R1", f'{TEMPLATE_NOTES}minScal"]', annotate("minScal", "1")),
    ("R1", f'{TEMPLATE_NOTES}max-scale"]', annotate("max-scale", 4)),
    ("R1", f'{TEMPLATE_NOTES}window"]', annotate("window", "3s")),
    ("R1", f'{TEMPLATE_NOTES}activation-scale"]', annotate("activation-scale", "1")),
    ("R1", f'{TEMPLATE_NOTES}metric"]', annotate("metric", "cpus")),
    ("R1", f'{TEMPLATE_NOTES}max-scale"]', annotate("min-scale", "5")),
    ("R2", "spec.template.spec.terminationGracePeriodSeconds", pod_field("terminationGracePeriodSeconds", 60)),
    ("R2", "spec.template.spec.initContainers", pod_field("initContainers", [])),
    ("R2", "spec.template.spec.topologySpreadConstraints", pod_field("topologySpreadConstraints", [])),
    ("R2", "spec.template.spec.securityContext", pod_field("securityContext", {"runAsNonRoot": True})),
    ("R2", f"{BOX}.lifecycle", box_field("lifecycle", {})),
    ("R2", f"{BOX}.securityContext.privileged", in_box("securityContext", {"privileged": True})),
    (
        "R2",
        f"{BOX}.securityContext.capabilities.add",
        in_box("securityContext", {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}}),
    ),
    ("R2", f"{BOX}.env[3].valueFrom.fieldRef", env({"name": "LOG_LEVEL", "valueFrom": {"fieldRef": {}}})),
    ("R2", "spec.template.spec.volumes[0].hostPath", lambda o: pod(o)["volumes"][0].update({"hostPath": {}})),
    ("R2", "spec.template.spec.volumes[1].name", volume({"name": "unused", "emptyDir": {}})),
    ("R3", f"{BOX}.env[3].name", env({"name": "PORT", "value": "80"})),
    ("R3", f"{BOX}.ports[0].containerPort", box_field("ports", [{"containerPort": 8012}])),
    (
        "R3",
        f"{BOX}.volumeMounts[1].mountPath",
        lambda o: container(o)["volumeMounts"].append({"name": "tmp", "mountPath": "/dev/"}),
    ),
    ("R3", f"{BOX}.name", box_field("name", "queue-proxy")),
    ("R4", f"{BOX}.readinessProbe.httpGet.path", box_field("readinessProbe", {"tcpSocket": {"port": 0}})),
    ("R4", f"{BOX}.readinessProbe.periodSeconds", in_box("readinessProbe", {"periodSeconds": 5})),
    ("R4", f"{BOX}.readinessProbe.timeoutSeconds", in_box("readinessProbe", {"periodSeconds": 0, "timeoutSeconds": 2})),
    ("R4", f"{BOX}.livenessProbe.httpGet.path", in_box("livenessProbe", {"httpGet": {"path": "/readyz"}})),
    ("R4", f"{BOX}.startupProbe", box_field("startupProbe", {"httpGet": {"path": "/healthz"}})),
    ("R5", "spec.template.spec.timeoutSeconds", pod_field("timeoutSeconds", 59)),
    ("R5", "spec.template.spec.timeoutSeconds", env({"name": "DRAIN_SECONDS", "value": "61"})),
    ("R5", "spec.template.spec.timeoutSeconds", unset(KSVC, "spec", "template", "spec", "timeoutSeconds")),
    ("R5", "spec.template.spec.responseStartTimeoutSeconds", pod_field("responseStartTimeoutSeconds", 91)),
    ("R5", "spec.template.spec.containerConcurrency", pod_field("containerConcurrency", 17)),
    (
        "R6",
        f"{BOX}.securityContext.readOnlyRootFilesystem",
        in_box("securityContext", {"readOnlyRootFilesystem": False}),
    ),
    ("R6", f"{BOX}.securityContext.runAsNonRoot", in_box("securityContext", {"runAsNonRoot": None}, WORKER)),
    ("R6", f"{BOX}.securityContext.runAsUser", in_box("securityContext", {"runAsUser": 0})),
    ("R6", f"{BOX}.volumeMounts", box_field("volumeMounts", [], WORKER)),
    (
        "R6",
        "spec.template.spec.automountServiceAccountToken",
        unset(JOB, "spec", "template", "spec", "automountServiceAccountToken"),
    ),
    ("R7", f"{BOX}.resources.limits.cpu", lambda o: container(o)["resources"]["limits"].update(cpu="500m")),
    ("R7", f"{BOX}.resources.requests.cpu", lambda o: container(o, WORKER)["resources"]["requests"].pop("cpu")),
    ("R7", f"{BOX}.resources.limits.memory", lambda o: container(o, JOB)["resources"]["limits"].pop("memory")),
    ("R8", "spec.traffic", traffic({"percent": 90})),
    ("R8", "spec.traffic", traffic({"percent": 50, "tag": "a"}, {"percent": 50, "tag": "a"})),
    ("R8", "spec.template.metadata.name", put(KSVC, "spec", "template", "metadata", "name", value="other-v1")),
    ("R9", "spec.ref.name", domain_to_private),
    ("R10", f'{TEMPLATE_NOTES}max-scale"]', annotate("max-scale", "0")),
    ("R10", 'metadata.annotations["nestor/database-connections-max"]', annotate("max-scale", "8")),
    ("R11", "spec.triggers[0].metadata.protocol", trigger_field(protocol="amqp")),
    ("R11", "spec.triggers[0].metadata.value", trigger_field(value=20)),
    ("R11", "spec.triggers[0].metadata.mode", trigger_field(mode="MessageRate")),
    ("R11", "spec.triggers[0].metadata.queueLength", trigger_field(queueLength="5")),
    ("R11", "spec.triggers[0].metadata.queueName", trigger_field(queueName="defaults")),
    ("R11", "spec.triggers", lambda o: at(o, SCALED, "spec", "triggers").pop()),
    ("R11", "spec.triggers[0].authenticationRef.name", lambda o: trigger(o)["authenticationRef"].update(name="other")),
    ("R11", "spec.maxReplicaCount", scaled(minReplicaCount=5)),
    ("R11", "spec.fallback", unset(SCALED, "spec", "fallback")),
    ("R11", "spec.scaleTargetRef.name", scaled(scaleTargetRef={"name": "workers"})),
    ("R11", "spec.replicas", put(WORKER, "spec", "replicas", value=1)),
    ("R11", f"{BOX}.args", args("dramatiq x --queues default --worker-shutdown-timeout 150000")),
    (
        "R11",
        "spec.triggers[1].metadata.queueName",
        args("dramatiq x --queues default --worker-shutdown-timeout 150000"),
    ),
    ("R11", f"{BOX}.args", args("dramatiq x --queues default sends mail --worker-shutdown-timeout 150000")),
    (
        "R12",
        "spec.template.spec.terminationGracePeriodSeconds",
        pod_field("terminationGracePeriodSeconds", 150, WORKER),
    ),
    ("R12", f"{BOX}.args", args("dramatiq x --queues default sends --worker-shutdown-timeout=120000")),
    ("R12", "spec.template.spec.terminationGracePeriodSeconds", args("dramatiq x --queues default sends")),
    ("R13", f"{BOX}.env[3].name", env({"name": "LOGLEVEL", "value": "INFO"}, WORKER)),
    (
        "R13",
        f"{BOX}.env[2].valueFrom.secretKeyRef",
        lambda o: container(o)["env"][2]["valueFrom"]["secretKeyRef"].update(key="dsn"),
    ),
    ("R13", f"{BOX}.envFrom[0].configMapRef.name", box_field("envFrom", [{"configMapRef": {"name": "other"}}])),
    ("R13", f"{BOX}.envFrom[0].secretRef", box_field("envFrom", [{"secretRef": {"name": "database"}}])),
    ("R13", f"{BOX}.envFrom[0]", put("ConfigMap/config", "data", "DRAIN_SECS", value="25")),
    ("R13", "spec.template.spec.volumes[1].secret", volume({"name": "s", "secret": {"secretName": "tokens"}}, WORKER)),
    (
        "R13",
        "spec.secretTargetRef[0]",
        put("TriggerAuthentication/broker", "spec", "secretTargetRef", 0, "key", value="url"),
    ),
    ("R14", "spec.minAvailable", put(PDB, "spec", "minAvailable", value=1)),
    ("R14", "spec.maxUnavailable", put(PDB, "spec", "maxUnavailable", value=0)),
    ("R14", "spec.template", lambda o: o.pop(PDB)),
    ("R15", "spec.template", put(POLICY, "spec", "podSelector", "matchExpressions", 0, "values", value=["worker"])),
    ("R15", "spec.template", lambda o: o.pop("NetworkPolicy/default-deny")),
    ("R16", f"{BOX}.image", box_field("image", "nestor:latest")),
    ("R17", "metadata.name", put(JOB, "metadata", "name", value="migrate")),
    ("R17", 'metadata.labels["app.kubernetes.io/version"]', put(JOB, "metadata", "labels", value={})),
    ("R18", "apiVersion", put(KSVC, "apiVersion", value="serving.knative.dev/v1beta1")),
]


def test_the_minimal_set_has_no_finding() -> None:
    assert findings_with(lambda objects: None) == []


@pytest.mark.parametrize(("rule", "path", "change"), BAD, ids=[f"{r}-{p}-{n}" for n, (r, p, _) in enumerate(BAD)])
def test_a_mistake_is_found_by_its_rule_at_its_place(rule: str, path: str, change: Change) -> None:
    found = findings_with(change)

    assert {finding.rule for finding in found} == {rule}, [str(finding) for finding in found]
    assert f": {rule}: {path}: " in " | ".join(str(finding) for finding in found)


GOOD: list[tuple[str, Change]] = [
    ("R1", annotate("scale-to-zero-pod-retention-period", "1h")),
    ("R1", annotate("target", "0.5")),
    ("R3", box_field("ports", [{"containerPort": 8080, "name": "http1"}])),
    ("R4", in_box("readinessProbe", {"periodSeconds": 0})),
    ("R5", pod_field("timeoutSeconds", 60)),
    ("R7", unset(KSVC, "spec", "template", "spec", "containers", 0, "resources", "limits", "cpu")),
    ("R7", lambda o: container(o)["resources"]["limits"].update(cpu="1500m")),
    ("R8", traffic({"percent": 95, "tag": "stable"}, {"percent": 5, "tag": "canary"})),
    ("R11", trigger_field(activationValue="0")),
    ("R11", args("dramatiq x --worker-shutdown-timeout=150000")),
    ("R12", pod_field("terminationGracePeriodSeconds", 151, WORKER)),
    ("R13", env({"name": "DATABASE_URL_FILE", "value": "/run/url"})),
    ("R13", env({"name": "NESTOR_SECRET_TELEGRAM_DEMO_TOKEN", "value": "x"})),
    ("R13", env({"name": "dramatiq_queue_prefetch", "value": "8"}, WORKER)),
    ("R14", put(PDB, "spec", "maxUnavailable", value="50%")),
]


@pytest.mark.parametrize(("rule", "change"), GOOD, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(GOOD)])
def test_what_a_rule_allows_is_no_finding(rule: str, change: Change) -> None:
    assert [str(finding) for finding in findings_with(change)] == []


def test_an_image_by_tag_is_allowed_outside_production() -> None:
    assert findings_with(box_field("image", "nestor:dev"), production=False) == []


def test_a_finding_names_file_line_object_rule_and_field() -> None:
    (found,) = findings_with(trigger_field(protocol="amqp"))

    text = str(found)

    place, _, rest = text.partition(": ")
    assert place.startswith("minimal.yaml:")
    assert rest.startswith(
        'ScaledObject/worker: R11: spec.triggers[0].metadata.protocol: expected "http", found "amqp"'
    )
