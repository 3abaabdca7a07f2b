"""R11: a KEDA mistake shows as workers that never wake, or that are stopped while they work. Nothing else tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scripts.check_manifests.documents import Document, JsonObject, listed, mapped, number
from scripts.check_manifests.findings import Finding, Path
from scripts.check_manifests.manifest_set import ManifestSet
from scripts.check_manifests.rules.pods import command_line, is_worker

KEDA = "keda.sh"
_RABBITMQ = {
    "protocol": ("http", "amqp counts ready messages only and stops a busy worker"),
    "mode": ("QueueLength", "queueLength alone is deprecated"),
}


def scaled_objects(manifests: ManifestSet) -> Iterator[Finding]:
    for scaled in manifests.of_kind("ScaledObject", KEDA):
        yield from _target(manifests, scaled)
        low, high = (
            number(scaled.get("spec", "minReplicaCount")) or 0,
            number(scaled.get("spec", "maxReplicaCount")),
        )
        if high is None or low > high:
            shown = "none" if high is None else f"{high:g}"
            yield scaled.finding("R11", ("spec", "maxReplicaCount"), f"expected at least {low:g}, found {shown}")
        if not mapped(scaled.get("spec", "fallback")):
            message = "expected one: without it a trigger that fails scales neither up nor down"
            yield scaled.finding("R11", ("spec", "fallback"), message)
        for index, trigger in enumerate(listed(scaled.get("spec", "triggers"))):
            yield from _trigger(manifests, scaled, ("spec", "triggers", index), mapped(trigger))
        yield from _queues(manifests, scaled)
    yield from _worker_queues(manifests)


def _target(manifests: ManifestSet, scaled: Document) -> Iterator[Finding]:
    name = scaled.get("spec", "scaleTargetRef", "name")
    kind = scaled.get("spec", "scaleTargetRef", "kind", default="Deployment")
    targets = [d for d in manifests.documents if d.kind == kind and d.name == name]
    if not targets:
        yield scaled.finding("R11", ("spec", "scaleTargetRef", "name"), f"expected a {kind} of this set, found {name}")
    for target in targets:
        if "replicas" in mapped(target.get("spec")):
            yield target.finding("R11", ("spec", "replicas"), f"expected none: {scaled.subject} owns the number")


def _trigger(manifests: ManifestSet, scaled: Document, path: Path, trigger: JsonObject) -> Iterator[Finding]:
    metadata = mapped(trigger.get("metadata"))
    for key, value in metadata.items():
        if not isinstance(value, str):
            message = f"expected a string, found {value!r}; quote it"
            yield scaled.finding("R11", (*path, "metadata", str(key)), message)
    if trigger.get("type") == "rabbitmq":
        for key, (expected, reason) in _RABBITMQ.items():
            if metadata.get(key) != expected:
                message = f'expected "{expected}", found {_quoted(metadata.get(key))}: {reason}'
                yield scaled.finding("R11", (*path, "metadata", key), message)
        if "queueLength" in metadata:
            yield scaled.finding("R11", (*path, "metadata", "queueLength"), "deprecated: expected mode and value")
        if "value" not in metadata:
            yield scaled.finding("R11", (*path, "metadata", "value"), "expected messages for each worker, found none")
    reference = mapped(trigger.get("authenticationRef"))
    known = {d.name for d in manifests.of_kind("TriggerAuthentication", KEDA)}
    if (
        reference
        and reference.get("kind", "TriggerAuthentication") == "TriggerAuthentication"
        and reference.get("name") not in known
    ):
        message = f"expected a TriggerAuthentication of this set, found {reference.get('name')}"
        yield scaled.finding("R11", (*path, "authenticationRef", "name"), message)


def _quoted(value: Any) -> str:
    return "none" if value is None else f'"{value}"'


def _queues(manifests: ManifestSet, scaled: Document) -> Iterator[Finding]:
    """Each queue that the scaled worker reads has a trigger, and no trigger asks for another one."""
    declared, read = manifests.facts.queues, _queues_read(manifests, scaled)
    watched: set[str] = set()
    for index, trigger in enumerate(listed(scaled.get("spec", "triggers"))):
        if mapped(trigger).get("type") != "rabbitmq":
            continue
        name = str(mapped(mapped(trigger).get("metadata")).get("queueName"))
        watched.add(name)
        path: Path = ("spec", "triggers", index, "metadata", "queueName")
        if name not in declared:
            yield scaled.finding("R11", path, f"expected a queue of the broker ({_listed(declared)}), found {name}")
        elif name not in read:
            message = f"expected a queue that this worker reads ({_listed(read)}), found {name}"
            yield scaled.finding("R11", path, message)
    if watched and read - watched:
        message = f"expected a trigger for each queue that the worker reads, found none for {_listed(read - watched)}"
        yield scaled.finding("R11", ("spec", "triggers"), message)


def _queues_read(manifests: ManifestSet, scaled: Document) -> frozenset[str]:
    """The queues that the target's containers consume; all of the broker when it says none."""
    name, read = scaled.get("spec", "scaleTargetRef", "name"), set[str]()
    for pod in manifests.pods():
        if pod.document.name == name and pod.document.kind == "Deployment":
            for _, container in pod.containers():
                read |= set(_queue_words(command_line(container)))
    return frozenset(read) & manifests.facts.queues or manifests.facts.queues


def _worker_queues(manifests: ManifestSet) -> Iterator[Finding]:
    """All workers together read all queues."""
    served: set[str] = set()
    last: tuple[Document, Path] | None = None
    for pod in manifests.pods():
        for path, container in pod.containers():
            words = command_line(container)
            if not is_worker(words):
                continue
            last = (pod.document, (*path, "args"))
            names = _queue_words(words) or sorted(manifests.facts.queues)  # without --queues dramatiq reads them all
            served |= set(names)
            for name in sorted(set(names) - manifests.facts.queues):
                message = f"--queues: expected queues of the broker ({_listed(manifests.facts.queues)}), found {name}"
                yield pod.document.finding("R11", (*path, "args"), message)
    if last is not None and manifests.facts.queues - served:
        document, path = last
        yield document.finding(
            "R11", path, f"--queues: expected a worker of {_listed(manifests.facts.queues - served)}"
        )


def _queue_words(words: list[str]) -> list[str]:
    for option in ("--queues", "-Q"):
        if option in words:
            rest = words[words.index(option) + 1 :]
            end = next((index for index, word in enumerate(rest) if word.startswith("-")), len(rest))
            return rest[:end]
    return []


def _listed(names: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(names))
