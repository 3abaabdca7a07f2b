"""R6, R7, R12, R16: rules for every pod."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scripts.check_manifests.documents import JsonObject, dig, listed, mapped, number
from scripts.check_manifests.findings import Finding, Path
from scripts.check_manifests.manifest_set import ManifestSet

SHUTDOWN_OPTION = "--worker-shutdown-timeout"  # of dramatiq, in milliseconds
SHUTDOWN_MS_DEFAULT = 600_000  # dramatiq 2.2.1's own
GRACE_S_DEFAULT = 30  # Kubernetes' own

_SECURITY: dict[Path, Any] = {
    ("runAsNonRoot",): True,
    ("readOnlyRootFilesystem",): True,
    ("allowPrivilegeEscalation",): False,
    ("seccompProfile", "type"): "RuntimeDefault",
    ("capabilities", "drop"): ["ALL"],
}


def restricted_security(manifests: ManifestSet) -> Iterator[Finding]:
    """R6: the `restricted` profile, a read-only root with /tmp as the one place to write, no API token."""
    for pod in manifests.pods():
        if pod.spec.get("automountServiceAccountToken") is not False:
            where = (*pod.spec_path, "automountServiceAccountToken")
            yield pod.document.finding("R6", where, "expected false: nothing of ours talks to the Kubernetes API")
        scratch = {mapped(v).get("name") for v in listed(pod.spec.get("volumes")) if "emptyDir" in mapped(v)}
        for path, container in pod.containers():
            security = mapped(container.get("securityContext"))
            for field, expected in _SECURITY.items():
                found = dig(security, field)
                if found != expected:
                    message = f"expected {_shown(expected)}, found {_shown(found)}"
                    yield pod.document.finding("R6", (*path, "securityContext", *field), message)
            user = security.get("runAsUser")
            if user == 0:
                yield pod.document.finding(
                    "R6", (*path, "securityContext", "runAsUser"), "expected not 0, which is root"
                )
            mounts = [mapped(mount) for mount in listed(container.get("volumeMounts"))]
            if not any(m.get("mountPath") == "/tmp" and m.get("name") in scratch for m in mounts):  # noqa: S108
                message = "expected an emptyDir at /tmp: gunicorn's heartbeat and large request bodies need it"
                yield pod.document.finding("R6", (*path, "volumeMounts"), message)


def _shown(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def resources(manifests: ManifestSet) -> Iterator[Finding]:
    """R7: requests set; CPU limit none or at least 1, because a start takes 2.5 s instead of 0.5 s at 250m."""
    for pod in manifests.pods():
        for path, container in pod.containers():
            for field in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
                if dig(container, ("resources", *field)) is None:
                    yield pod.document.finding("R7", (*path, "resources", *field), "expected a quantity, found none")
            limit = dig(container, ("resources", "limits", "cpu"))
            if limit is not None and (cpus(limit) or 0) < 1:
                message = f"expected none or at least 1, found {limit}: cold starts grow to seconds"
                yield pod.document.finding("R7", (*path, "resources", "limits", "cpu"), message)


def cpus(quantity: Any) -> float | None:
    text = str(quantity)
    if text.endswith("m"):
        thousandths = number(text[:-1])
        return None if thousandths is None else thousandths / 1000
    return number(text)


def grace_period(manifests: ManifestSet) -> Iterator[Finding]:
    """R12: grace > dramatiq's shutdown timeout > the longest actor; else a stopping pod kills running actors."""
    limit_s = manifests.facts.actor_time_limit_s
    for pod in manifests.pods():
        for path, container in pod.containers():
            arguments = command_line(container)
            if not is_worker(arguments):
                continue
            shutdown_ms = number(option(arguments, SHUTDOWN_OPTION) or SHUTDOWN_MS_DEFAULT)
            if shutdown_ms is None:
                yield pod.document.finding("R12", (*path, "args"), f"{SHUTDOWN_OPTION}: expected milliseconds")
                continue
            if shutdown_ms / 1000 <= limit_s:
                message = (
                    f"{SHUTDOWN_OPTION}: expected more than the longest actor's {limit_s:g} s,"
                    f" found {shutdown_ms / 1000:g} s"
                )
                yield pod.document.finding("R12", (*path, "args"), message)
            grace_s = number(pod.spec.get("terminationGracePeriodSeconds", GRACE_S_DEFAULT)) or 0
            if grace_s <= shutdown_ms / 1000:
                message = (
                    f"expected more than the worker's shutdown timeout of {shutdown_ms / 1000:g} s, found {grace_s:g}"
                )
                yield pod.document.finding("R12", (*pod.spec_path, "terminationGracePeriodSeconds"), message)


def command_line(container: JsonObject) -> list[str]:
    return [str(word) for key in ("command", "args") for word in listed(container.get(key))]


def is_worker(arguments: list[str]) -> bool:
    """Return True if the command is a worker's: ours (queues/master.py), or Dramatiq's own command line."""
    return "queues.master" in arguments or "dramatiq" in arguments


def option(arguments: list[str], name: str) -> str | None:
    """The word after `name`, or after `name=`; None when it is not given."""
    for index, word in enumerate(arguments):
        if word == name:
            return arguments[index + 1] if index + 1 < len(arguments) else ""
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def image_by_digest(manifests: ManifestSet) -> Iterator[Finding]:
    """R16: in production a tag may be moved under a running desk; a digest may not."""
    if not manifests.production:
        return
    for pod in manifests.pods():
        for path, container in pod.containers():
            image = str(container.get("image", ""))
            if "@sha256:" not in image:
                yield pod.document.finding("R16", (*path, "image"), f"expected an image by digest, found {image}")
