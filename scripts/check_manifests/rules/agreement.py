"""R13: names on both sides are the same. A misspelt variable is never read, and production runs with the default."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.check_manifests.documents import Document, JsonObject, listed, mapped
from scripts.check_manifests.findings import Finding, Path
from scripts.check_manifests.manifest_set import ManifestSet

WHOLE = "*"  # the README's key for a Secret that is mounted as a folder
FOREIGN_VARIABLES = frozenset(["dramatiq_queue_prefetch"])  # read by dramatiq itself
CREDENTIAL_PREFIX = "NESTOR_SECRET_"  # a channel account's credential, named by the account

Reference = tuple[Document, Path, str, str]  # where, Secret, key


def names(manifests: ManifestSet) -> Iterator[Finding]:
    yield from _variables(manifests)
    yield from _config_maps(manifests)
    for document, path, secret, key in secret_references(manifests):
        if (secret, key) not in manifests.documented_keys:
            message = f"expected a row `{secret}` | `{key}` in the Secrets table of knative/README.md, found none"
            yield document.finding("R13", path, message)


def undocumented_leftovers(manifests: ManifestSet) -> list[tuple[str, str]]:
    """Rows of the README's table that no manifest refers to: the operator makes a Secret for nothing."""
    used = {(secret, key) for _, _, secret, key in secret_references(manifests)}
    return sorted(manifests.documented_keys - used)


def is_setting(manifests: ManifestSet, name: str) -> bool:
    settings = manifests.facts.settings
    return (
        name in settings
        or name.removesuffix("_FILE") in settings
        or name in FOREIGN_VARIABLES
        or name.startswith(CREDENTIAL_PREFIX)
    )


def _variables(manifests: ManifestSet) -> Iterator[Finding]:
    for pod in manifests.pods():
        for path, container in pod.containers():
            for index, entry in enumerate(listed(container.get("env"))):
                name = str(mapped(entry).get("name"))
                reserved = pod.document.is_knative_service and name == "PORT"  # R3 says so already
                if not reserved and not is_setting(manifests, name):
                    message = f"expected a variable of models.kernel.settings, found {name}"
                    yield pod.document.finding("R13", (*path, "env", index, "name"), message)


def _config_maps(manifests: ManifestSet) -> Iterator[Finding]:
    known = manifests.config_maps()
    reported: set[tuple[str, str]] = set()
    for pod in manifests.pods():
        for path, container in pod.containers():
            for index, source in enumerate(listed(container.get("envFrom"))):
                where = (*path, "envFrom", index)
                if "secretRef" in mapped(source):
                    message = "expected secretKeyRef for each key: a whole Secret cannot be documented or compared"
                    yield pod.document.finding("R13", (*where, "secretRef"), message)
                    continue
                name = str(mapped(mapped(source).get("configMapRef")).get("name"))
                if name not in known:
                    message = f"expected a ConfigMap of this set, found {name}"
                    yield pod.document.finding("R13", (*where, "configMapRef", "name"), message)
                for key in known.get(name, {}):
                    if not is_setting(manifests, key) and (name, key) not in reported:
                        reported.add((name, key))
                        message = f"ConfigMap {name}: expected a variable of models.kernel.settings, found {key}"
                        yield pod.document.finding("R13", where, message)
            for index, entry in enumerate(listed(container.get("env"))):
                reference = mapped(mapped(mapped(entry).get("valueFrom")).get("configMapKeyRef"))
                if reference and reference.get("key") not in known.get(str(reference.get("name")), {}):
                    found = f"{reference.get('name')}/{reference.get('key')}"
                    message = f"expected a key of a ConfigMap of this set, found {found}"
                    yield pod.document.finding("R13", (*path, "env", index, "valueFrom", "configMapKeyRef"), message)


def secret_references(manifests: ManifestSet) -> Iterator[Reference]:
    for pod in manifests.pods():
        for path, container in pod.containers():
            for index, entry in enumerate(listed(container.get("env"))):
                reference = mapped(mapped(mapped(entry).get("valueFrom")).get("secretKeyRef"))
                if reference:
                    yield _reference(pod.document, (*path, "env", index, "valueFrom", "secretKeyRef"), reference)
        for index, volume in enumerate(listed(pod.spec.get("volumes"))):
            where = (*pod.spec_path, "volumes", index)
            yield from _volume_references(pod.document, where, mapped(volume))
    for document in manifests.of_kind("TriggerAuthentication", "keda.sh"):
        for index, target in enumerate(listed(document.get("spec", "secretTargetRef"))):
            yield _reference(document, ("spec", "secretTargetRef", index), mapped(target))


def _reference(document: Document, path: Path, reference: JsonObject) -> Reference:
    return document, path, str(reference.get("name")), str(reference.get("key"))


def _volume_references(document: Document, path: Path, volume: JsonObject) -> Iterator[Reference]:
    sources = [((*path, "secret"), mapped(volume.get("secret")), "secretName")]
    for index, projected in enumerate(listed(mapped(volume.get("projected")).get("sources"))):
        where = (*path, "projected", "sources", index, "secret")
        sources.append((where, mapped(mapped(projected).get("secret")), "name"))
    for where, secret, name_key in sources:
        if not secret:
            continue
        items = [str(mapped(item).get("key")) for item in listed(secret.get("items"))] or [WHOLE]
        for key in items:
            yield document, where, str(secret.get(name_key)), key
