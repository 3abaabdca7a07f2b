"""A small set of manifests without a finding. Each test spoils one place of it, so that the finding has one cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scripts.check_manifests.documents import Document, read_documents
from scripts.check_manifests.facts import AppFacts
from scripts.check_manifests.findings import Finding
from scripts.check_manifests.manifest_set import ManifestSet
from scripts.check_manifests.rules import check_rules

FACTS = AppFacts(
    settings=frozenset(
        ["DATABASE_URL", "DATABASE_POOL_MAX", "LOG_LEVEL", "DRAIN_SECONDS", "HTTP_THREADS", "METRICS_PORT"]
    ),
    queues=frozenset(["default", "sends"]),
    actor_time_limit_s=120,
    drain_s=25,
    database_pool_max=5,
)
DOCUMENTED = frozenset([("database", "url"), ("broker", "host")])

_SECURE = """
          securityContext:
            runAsNonRoot: true
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            seccompProfile: {type: RuntimeDefault}
            capabilities: {drop: [ALL]}
          volumeMounts: [{name: tmp, mountPath: /tmp}]
          env:
            - {name: DATABASE_POOL_MAX, value: "5"}
            - {name: HTTP_THREADS, value: "16"}
            - name: DATABASE_URL
              valueFrom: {secretKeyRef: {name: database, key: url}}
          envFrom: [{configMapRef: {name: config}}]
      volumes: [{name: tmp, emptyDir: {}}]
"""

MINIMAL = f"""
apiVersion: v1
kind: Namespace
metadata: {{name: desk, annotations: {{nestor/database-connections-max: "100"}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: config}}
data: {{LOG_LEVEL: INFO, DRAIN_SECONDS: "25"}}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: gateway
  annotations: {{}}
  labels: {{}}
spec:
  template:
    metadata:
      labels: {{app: function}}
      annotations:
        autoscaling.knative.dev/min-scale: "0"
        autoscaling.knative.dev/max-scale: "4"
        autoscaling.knative.dev/window: 60s
    spec:
      automountServiceAccountToken: false
      containerConcurrency: 16
      timeoutSeconds: 90
      responseStartTimeoutSeconds: 60
      containers:
        - name: function
          image: nestor@sha256:00
          ports: [{{containerPort: 8080}}]
          readinessProbe: {{httpGet: {{path: /readyz}}}}
          livenessProbe: {{httpGet: {{path: /healthz}}, periodSeconds: 10}}
          resources: {{requests: {{cpu: 100m, memory: 100Mi}}, limits: {{cpu: "1", memory: 200Mi}}}}{_SECURE}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: worker}}
spec:
  selector: {{matchLabels: {{app: worker}}}}
  template:
    metadata: {{labels: {{app: worker}}}}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 180
      containers:
        - name: worker
          image: nestor@sha256:00
          args: [queues.master, --queues, default, sends, --worker-shutdown-timeout, "150000"]
          resources: {{requests: {{cpu: 100m, memory: 100Mi}}, limits: {{memory: 200Mi}}}}{_SECURE}
---
apiVersion: batch/v1
kind: Job
metadata: {{name: migrate-1-2-0, labels: {{app.kubernetes.io/version: 1.2.0}}}}
spec:
  template:
    metadata: {{labels: {{app: worker}}}}
    spec:
      automountServiceAccountToken: false
      restartPolicy: Never
      containers:
        - name: migrate
          image: nestor@sha256:00
          args: [scripts.bootstrap]
          resources: {{requests: {{cpu: 100m, memory: 100Mi}}, limits: {{memory: 200Mi}}}}{_SECURE}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {{name: broker}}
spec: {{secretTargetRef: [{{parameter: host, name: broker, key: host}}]}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: worker}}
spec:
  scaleTargetRef: {{kind: Deployment, name: worker}}
  minReplicaCount: 0
  maxReplicaCount: 4
  fallback: {{failureThreshold: 3, replicas: 1}}
  triggers:
    - type: rabbitmq
      metadata: {{protocol: http, queueName: default, mode: QueueLength, value: "20"}}
      authenticationRef: {{name: broker}}
    - type: rabbitmq
      metadata: {{protocol: http, queueName: sends, mode: QueueLength, value: "20"}}
      authenticationRef: {{name: broker}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: gateway}}
spec: {{maxUnavailable: 1, selector: {{matchLabels: {{serving.knative.dev/service: gateway}}}}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: worker}}
spec: {{maxUnavailable: 1, selector: {{matchLabels: {{app: worker}}}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: default-deny}}
spec: {{podSelector: {{}}, policyTypes: [Ingress, Egress]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: pods}}
spec:
  podSelector: {{matchExpressions: [{{key: app, operator: In, values: [function, worker]}}]}}
  policyTypes: [Ingress, Egress]
"""

Objects = dict[str, dict[str, Any]]  # "Kind/name" -> object
Change = Callable[[Objects], object]

KSVC, WORKER, JOB = "Service/gateway", "Deployment/worker", "Job/migrate-1-2-0"
SCALED, PDB, POLICY = "ScaledObject/worker", "PodDisruptionBudget/gateway", "NetworkPolicy/pods"


def documents_with(change: Change) -> list[Document]:
    documents = read_documents(MINIMAL, "minimal.yaml")
    objects: Objects = {document.subject: document.data for document in documents}
    change(objects)
    by_subject = {document.subject: document for document in documents}
    return [
        by_subject[subject] if subject in by_subject else Document("minimal.yaml", data)
        for subject, data in objects.items()
    ]


def findings_with(change: Change, *, production: bool = True) -> list[Finding]:
    manifests = ManifestSet(
        label="minimal",
        documents=documents_with(change),
        facts=FACTS,
        documented_keys=DOCUMENTED,
        production=production,
    )
    return list(check_rules(manifests))


def at(objects: Objects, subject: str, *path: str | int) -> Any:
    """The value at `path` of that object, to be changed in place."""
    value: Any = objects[subject]
    for step in path:
        value = value[step]
    return value


def pod(objects: Objects, subject: str = KSVC) -> Any:
    return at(objects, subject, "spec", "template", "spec")


def container(objects: Objects, subject: str = KSVC) -> Any:
    return pod(objects, subject)["containers"][0]


def notes(objects: Objects) -> Any:
    return at(objects, KSVC, "spec", "template", "metadata", "annotations")


def trigger(objects: Objects, index: int = 0) -> Any:
    return at(objects, SCALED, "spec", "triggers", index)
