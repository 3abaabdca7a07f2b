"""Finds what to check in `knative/`: the base's files always, the overlays where something can render them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

from scripts.check_manifests.documents import Document, JsonObject, ManifestUnreadable, listed, mapped, read_documents
from scripts.check_manifests.facts import AppFacts
from scripts.check_manifests.findings import Finding
from scripts.check_manifests.manifest_set import ManifestSet

RENDER_TIMEOUT_S = 30  # rendering takes a tenth of a second; a kubectl that waits for a cluster must not hold CI
_ROW = re.compile(r"^\|\s*`([^`]+)`\s*\|\s*`([^`]+)`\s*\|")


class RenderFailed(Exception):
    """The renderer refused the overlay."""


def shown(path: Path, root: Path) -> str:
    """`path` as the reader sees it from the folder above `root`."""
    return path.relative_to(root.parent).as_posix() if path.is_relative_to(root.parent) else path.as_posix()


def read_base(root: Path, facts: AppFacts) -> tuple[ManifestSet, list[Finding]]:
    """The base without a renderer, and findings about files that its kustomization forgot or invented.

    Raises ManifestUnreadable.
    """
    base = root / "base"
    kustomization = _kustomization(base, root)
    resources = [str(name) for name in listed(kustomization.get("resources"))]
    aside = {"kustomization.yaml", *map(str, listed(kustomization.get("configurations")))}
    present = {path.name for path in base.glob("*.yaml")} - aside
    source = shown(base / "kustomization.yaml", root)
    problems = [_layout(source, f"expected {name} among the resources") for name in sorted(present - set(resources))]
    problems += [_layout(source, f"{name} does not exist") for name in resources if not (base / name).is_file()]
    documents: list[Document] = []
    for name in resources:
        if (base / name).is_file():
            documents += read_documents((base / name).read_text(encoding="utf-8"), shown(base / name, root))
    manifests = ManifestSet(
        label=shown(base, root),
        documents=documents,
        facts=facts,
        documented_keys=documented_keys(root / "README.md"),
        generated_config=dict(_generated(kustomization)),
    )
    return manifests, problems


def _layout(source: str, message: str) -> Finding:
    return Finding(source, None, "Kustomization", "layout", ("resources",), message)


def _kustomization(folder: Path, root: Path) -> JsonObject:
    path = folder / "kustomization.yaml"
    if not path.is_file():
        raise ManifestUnreadable(f"{shown(path, root)}: expected a kustomization, found none")
    try:
        return mapped(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ManifestUnreadable(f"{shown(path, root)}: not YAML: {' '.join(str(error).split())}") from error


def _generated(kustomization: JsonObject) -> Iterator[tuple[str, dict[str, str]]]:
    for generator in map(mapped, listed(kustomization.get("configMapGenerator"))):
        pairs = [str(literal).partition("=") for literal in listed(generator.get("literals"))]
        yield str(generator.get("name")), {key: value for key, _, value in pairs}


def documented_keys(readme: Path) -> frozenset[tuple[str, str]]:
    """(Secret, key) of each row of the table under `## Secrets`."""
    keys: set[tuple[str, str]] = set()
    inside = False
    for line in readme.read_text(encoding="utf-8").splitlines() if readme.is_file() else []:
        if line.startswith("## "):
            inside = line.strip() == "## Secrets"
        elif inside and (row := _ROW.match(line)):
            keys.add((row[1], row[2]))
    return frozenset(keys)


def overlays(root: Path) -> list[Path]:
    return sorted(path.parent for path in (root / "overlays").glob("*/kustomization.yaml"))


def find_renderer(environ: dict[str, str] | None = None) -> list[str] | None:
    """The command before the folder: $KUSTOMIZE, `kustomize` or `kubectl`; None when there is none."""
    named = (os.environ if environ is None else environ).get("KUSTOMIZE")
    if named:
        return [named, "build"]
    for program, verb in (("kustomize", "build"), ("kubectl", "kustomize")):
        found = shutil.which(program)
        if found:
            return [found, verb]
    return None


def render(overlay: Path, renderer: list[str], root: Path, base: ManifestSet) -> ManifestSet:
    """The overlay as it would be applied. Raises RenderFailed or ManifestUnreadable."""
    label = shown(overlay, root)
    try:
        run = subprocess.run(
            [*renderer, str(overlay)], capture_output=True, text=True, timeout=RENDER_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RenderFailed(f"{label}: {' '.join(renderer)}: {error}") from error
    if run.returncode != 0:
        raise RenderFailed(f"{label}: {' '.join(renderer)}: {' '.join(run.stderr.split())[:500]}")
    return ManifestSet(
        label=label,
        documents=read_documents(run.stdout, f"{label} (rendered)", with_lines=False),
        facts=base.facts,
        documented_keys=base.documented_keys,
        production=overlay.name == "production",
    )
