"""One run over a folder: what was found, what was checked, and, loudly, what was not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from scripts.check_manifests.crds import CrdFolder
from scripts.check_manifests.documents import ManifestUnreadable
from scripts.check_manifests.facts import AppFacts
from scripts.check_manifests.findings import Finding
from scripts.check_manifests.folder import RenderFailed, overlays, read_base, render, shown
from scripts.check_manifests.manifest_set import ManifestSet
from scripts.check_manifests.rules import RULES, check_rules
from scripts.check_manifests.rules.agreement import undocumented_leftovers
from scripts.check_manifests.schemas import SchemaCheck


@dataclass(slots=True)
class Report:
    findings: list[Finding] = field(default_factory=list)
    sets: list[tuple[str, int]] = field(default_factory=list)  # label, objects
    not_rendered: list[str] = field(default_factory=list)
    objects_checked: int = 0
    objects_unchecked: dict[str, int] = field(default_factory=dict)  # reason -> objects

    def summary(self) -> list[str]:
        """The last lines: capitals where something was not checked."""
        where = ", ".join(f"{label} ({count} objects)" for label, count in self.sets)
        lines = [
            f"{len(self.findings)} findings; rules {', '.join(RULES)} on {where}; "
            f"{self.objects_checked} objects checked against schemas"
        ]
        for reason, count in self.objects_unchecked.items():
            lines.append(f"NOT CHECKED: {reason}: {count} objects unchecked")
        if self.not_rendered:
            overlay_names = ", ".join(self.not_rendered)
            lines.append(
                f"NOT CHECKED: no renderer (kustomize, kubectl or $KUSTOMIZE): overlays {overlay_names} unchecked"
            )
        return lines


def check_folder(root: Path, facts: AppFacts, *, crd_dir: Path | None, renderer: list[str] | None) -> Report:
    """Everything below `root` (`knative/`). Raises ManifestUnreadable when the base cannot be read at all."""
    report = Report()
    schemas = SchemaCheck(CrdFolder(crd_dir) if crd_dir is not None else None)
    base, problems = read_base(root, facts)
    report.findings += problems
    _check_set(base, schemas, report)
    for secret, key in undocumented_leftovers(base):
        message = f"`{secret}` | `{key}` is documented, but no manifest refers to it"
        source = shown(root / "README.md", root)
        report.findings.append(Finding(source, None, "Secrets", "R13", (), message))
    for overlay in overlays(root):
        if renderer is None:
            report.not_rendered.append(overlay.name)
            continue
        try:
            rendered = render(overlay, renderer, root, base)
        except (RenderFailed, ManifestUnreadable) as error:
            source = shown(overlay / "kustomization.yaml", root)
            report.findings.append(Finding(source, None, "Kustomization", "render", (), str(error)))
            continue
        _check_set(rendered, schemas, report)
    report.objects_checked = schemas.checked
    report.objects_unchecked = schemas.unchecked
    return report


def _check_set(manifests: ManifestSet, schemas: SchemaCheck, report: Report) -> None:
    """Adds what is new: an overlay repeats every mistake of its base, the reader needs it once."""
    known = {(f.subject, f.rule, f.path, f.message) for f in report.findings}
    found = [finding for document in manifests.documents for finding in schemas.check(document)]
    found += schemas.check_triggers(manifests.documents)
    found += check_rules(manifests)
    for finding in found:
        key = (finding.subject, finding.rule, finding.path, finding.message)
        if key not in known:
            known.add(key)
            report.findings.append(finding)
    report.sets.append((manifests.label, len(manifests.documents)))
