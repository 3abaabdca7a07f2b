"""R1-R5 and R8: what Knative's webhook refuses or what makes its pods slow to start or rude to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from scripts.check_manifests.documents import Document, JsonObject, duration_s, listed, mapped, number
from scripts.check_manifests.findings import Finding, Path
from scripts.check_manifests.manifest_set import ManifestSet, Pod

AUTOSCALING = "autoscaling.knative.dev/"
TIMEOUT_S_MIN = 60  # SIGTERM comes 30 s after the last request at the earliest, and the request itself needs time
TIMEOUT_S_MAX = 600  # Knative's `max-revision-timeout-seconds`
QUIET_S = 30  # how long queue-proxy waits without a request before SIGTERM (serving 13736: not configurable)
TEMPLATE: Path = ("spec", "template")
SPEC: Path = (*TEMPLATE, "spec")


def _whole(low: int, high: int | None = None) -> tuple[str, Callable[[str], bool]]:
    text = f"a whole number >= {low}" + ("" if high is None else f" and <= {high}")

    def fits(value: str) -> bool:
        return value.lstrip("-").isdigit() and int(value) >= low and (high is None or int(value) <= high)

    return text, fits


def _seconds(low: int, high: int) -> tuple[str, Callable[[str], bool]]:
    def fits(value: str) -> bool:
        seconds = duration_s(value)
        return seconds is not None and low <= seconds <= high

    return f"a duration from {low}s to {high}s", fits


_KEYS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "class": (
        "the default class, or hpa.autoscaling.knative.dev",
        lambda v: v.endswith(".autoscaling.knative.dev"),
    ),
    "metric": ("concurrency or rps", lambda v: v in ("concurrency", "rps")),
    "target": ("a number >= 0.01", lambda v: (number(v) or 0) >= 0.01),
    "target-utilization-percentage": _whole(1, 100),
    "min-scale": _whole(0),
    "max-scale": _whole(0),
    "initial-scale": _whole(1),  # 0 needs a cluster flag
    "activation-scale": _whole(2),
    "window": _seconds(6, 3600),
    "scale-to-zero-pod-retention-period": _seconds(0, 3600),
    "scale-down-delay": _seconds(0, 3600),
    "target-burst-capacity": _whole(-1),
}


def autoscaling_annotations(manifests: ManifestSet) -> Iterator[Finding]:
    """R1: on the template only, known keys, string values, within their ranges."""
    for service in manifests.knative_services():
        for key in mapped(service.get("metadata", "annotations")):
            if str(key).startswith(AUTOSCALING):
                path: Path = ("metadata", "annotations", str(key))
                yield service.finding("R1", path, "expected on spec.template.metadata, the webhook refuses it here")
        base: Path = (*TEMPLATE, "metadata", "annotations")
        annotations = mapped(service.get(*base))
        for key, value in annotations.items():
            if str(key).startswith(AUTOSCALING):
                problem = _annotation_problem(str(key).removeprefix(AUTOSCALING), value)
                if problem:
                    yield service.finding("R1", (*base, str(key)), problem)
        low = number(annotations.get(f"{AUTOSCALING}min-scale"))
        high = number(annotations.get(f"{AUTOSCALING}max-scale"))
        if low is not None and high and low > high:
            path = (*base, f"{AUTOSCALING}max-scale")
            yield service.finding("R1", path, f"expected at least min-scale ({low:g}), found {high:g}")


def _annotation_problem(key: str, value: Any) -> str | None:
    if key not in _KEYS:
        return f"unknown key; known are {', '.join(sorted(_KEYS))}"
    expected, fits = _KEYS[key]
    if not isinstance(value, str):
        return f"expected a string, found {value!r}; quote it"
    return None if fits(value) else f'expected {expected}, found "{value}"'


_POD_FIELDS = frozenset(
    [
        "containers",
        "volumes",
        "serviceAccountName",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "imagePullSecrets",
        "containerConcurrency",
        "timeoutSeconds",
        "responseStartTimeoutSeconds",
        "idleTimeoutSeconds",
    ]
)
_CONTAINER_FIELDS = frozenset(
    [
        "name",
        "image",
        "command",
        "args",
        "workingDir",
        "env",
        "envFrom",
        "ports",
        "resources",
        "volumeMounts",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "securityContext",
        "imagePullPolicy",
        "terminationMessagePath",
        "terminationMessagePolicy",
    ]
)
_SECURITY_FIELDS = frozenset(
    [
        "runAsUser",
        "runAsGroup",
        "runAsNonRoot",
        "readOnlyRootFilesystem",
        "allowPrivilegeEscalation",
        "seccompProfile",
        "capabilities",
    ]
)
_VOLUME_FIELDS = frozenset(["name", "secret", "configMap", "projected", "emptyDir"])
_REFUSED = "refused by Knative unless the cluster's administrator turns a feature on"


def refused_fields(manifests: ManifestSet) -> Iterator[Finding]:
    """R2: the CRD's schema accepts these fields, the webhook does not."""
    for service in manifests.knative_services():
        pod = Pod(service, TEMPLATE)
        yield from _unlisted(service, SPEC, pod.spec, _POD_FIELDS)
        mounted = set()
        for path, container in pod.containers():
            yield from _unlisted(service, path, container, _CONTAINER_FIELDS)
            security = mapped(container.get("securityContext"))
            yield from _unlisted(service, (*path, "securityContext"), security, _SECURITY_FIELDS)
            if mapped(security.get("capabilities")).get("add"):
                yield service.finding("R2", (*path, "securityContext", "capabilities", "add"), _REFUSED)
            for index, entry in enumerate(listed(container.get("env"))):
                for source in sorted({"fieldRef", "resourceFieldRef"} & set(mapped(mapped(entry).get("valueFrom")))):
                    yield service.finding("R2", (*path, "env", index, "valueFrom", source), _REFUSED)
            mounted |= {mapped(mount).get("name") for mount in listed(container.get("volumeMounts"))}
        for index, volume in enumerate(listed(pod.spec.get("volumes"))):
            where = (*SPEC, "volumes", index)
            yield from _unlisted(service, where, mapped(volume), _VOLUME_FIELDS)
            if mapped(volume).get("name") not in mounted:
                yield service.finding("R2", (*where, "name"), "expected a container that mounts it: refused otherwise")


def _unlisted(service: Document, path: Path, found: dict[Any, Any], allowed: frozenset[str]) -> Iterator[Finding]:
    for key in found:
        if key not in allowed:
            yield service.finding("R2", (*path, str(key)), _REFUSED)


_ENV = frozenset(["PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"])
_PORTS = frozenset([8012, 8013, 8022, 9090, 9091, 8008])
_MOUNTS = frozenset(["/", "/dev", "/dev/log"])


def reserved_names(manifests: ManifestSet) -> Iterator[Finding]:
    """R3: names that belong to Knative."""
    for service in manifests.knative_services():
        for path, container in Pod(service, TEMPLATE).containers():
            for where, name in _reserved(container):
                yield service.finding("R3", (*path, *where), f"reserved by Knative, found {name}")
            for name in sorted(_ENV & _config_keys(manifests, container)):
                yield service.finding("R3", (*path, "envFrom"), f"reserved by Knative, found {name} in the ConfigMap")


def _reserved(container: JsonObject) -> Iterator[tuple[Path, object]]:
    """Yield the place and the value of each reserved name of a container."""
    if container.get("name") == "queue-proxy":
        yield ("name",), "queue-proxy"
    lists: tuple[tuple[str, str, Callable[[object], bool]], ...] = (
        ("env", "name", _ENV.__contains__),
        ("ports", "containerPort", _PORTS.__contains__),
        ("volumeMounts", "mountPath", lambda target: (str(target).rstrip("/") or "/") in _MOUNTS),
    )
    for key, member, is_reserved in lists:
        for index, entry in enumerate(listed(container.get(key))):
            value = mapped(entry).get(member)
            if value is not None and is_reserved(value):
                yield (key, index, member), value


def _config_keys(manifests: ManifestSet, container: JsonObject) -> set[str]:
    return set(manifests.plain_environment({"envFrom": container.get("envFrom")}))


def probes(manifests: ManifestSet) -> Iterator[Finding]:
    """R4: readiness is queue-proxy's fast polling of a cheap path; liveness is the kubelet's, on another path."""
    for service in manifests.knative_services():
        for path, container in Pod(service, TEMPLATE).containers():
            ready, alive = mapped(container.get("readinessProbe")), mapped(container.get("livenessProbe"))
            ready_path = mapped(ready.get("httpGet")).get("path")
            if not ready_path:
                yield service.finding("R4", (*path, "readinessProbe", "httpGet", "path"), "expected a path, found none")
            for key in ("periodSeconds", "timeoutSeconds", "failureThreshold"):
                if ready.get(key):
                    message = f"expected unset (polled every 50 ms, the fast start), found {ready[key]}"
                    yield service.finding("R4", (*path, "readinessProbe", key), message)
            alive_path = mapped(alive.get("httpGet")).get("path")
            if not alive_path or alive_path == ready_path:
                message = f"expected a path other than readiness's, found {alive_path or 'none'}"
                yield service.finding("R4", (*path, "livenessProbe", "httpGet", "path"), message)
            if "startupProbe" in container:
                message = "expected none: it turns Knative's fast polling off (serving 15309)"
                yield service.finding("R4", (*path, "startupProbe"), message)


def timeouts(manifests: ManifestSet) -> Iterator[Finding]:
    """R5: timeoutSeconds is also the pod's whole grace period, of which SIGTERM takes away the first 30 s."""
    for service in manifests.knative_services():
        found = number(service.get(*SPEC, "timeoutSeconds"))
        where: Path = (*SPEC, "timeoutSeconds")
        for path, container in Pod(service, TEMPLATE).containers():
            environment = manifests.plain_environment(container)
            drain = number(environment.get("DRAIN_SECONDS", manifests.facts.drain_s))
            if drain is None:
                message = f"DRAIN_SECONDS: expected a number, found {environment['DRAIN_SECONDS']!r}"
                yield service.finding("R5", (*path, "env"), message)
                continue
            least = max(TIMEOUT_S_MIN, drain + QUIET_S)
            if found is None or not least <= found <= TIMEOUT_S_MAX:
                reason = (
                    f"expected {least:g} (drain {drain:g} s + {QUIET_S} s, at least {TIMEOUT_S_MIN}) to {TIMEOUT_S_MAX}"
                )
                shown = "none" if found is None else f"{found:g}"
                yield service.finding("R5", where, f"{reason}, found {shown}")
            concurrency = number(service.get(*SPEC, "containerConcurrency"))
            threads = number(environment.get("HTTP_THREADS"))
            if concurrency and threads is not None and threads < concurrency:
                message = (
                    f"expected at most HTTP_THREADS ({threads:g}), found {concurrency:g}: the rest would wait unseen"
                )
                yield service.finding("R5", (*SPEC, "containerConcurrency"), message)
        start = number(service.get(*SPEC, "responseStartTimeoutSeconds"))
        if start is not None and found is not None and start > found:
            message = f"expected at most timeoutSeconds ({found:g}), found {start:g}"
            yield service.finding("R5", (*SPEC, "responseStartTimeoutSeconds"), message)


def traffic(manifests: ManifestSet) -> Iterator[Finding]:
    """R8: percents add to 100, tags are unique, a fixed revision name begins with the service's."""
    for service in manifests.knative_services():
        revision = service.get(*TEMPLATE, "metadata", "name")
        if revision is not None and not str(revision).startswith(f"{service.name}-"):
            where: Path = (*TEMPLATE, "metadata", "name")
            yield service.finding("R8", where, f"expected a name that begins with {service.name}-, found {revision}")
        for message in _shares([mapped(target) for target in listed(service.get("spec", "traffic"))]):
            yield service.finding("R8", ("spec", "traffic"), message)


def _shares(targets: list[JsonObject]) -> Iterator[str]:
    """Yield the faults of a service's percents and tags."""
    total = sum(number(target.get("percent")) or 0 for target in targets)
    if targets and total != 100:
        yield f"expected percents that add to 100, found {total:g}"
    tags = [target["tag"] for target in targets if "tag" in target]
    for tag in sorted({tag for tag in tags if tags.count(tag) > 1}):
        yield f"expected each tag once, found {tag} {tags.count(tag)} times"
