"""The shipped manifests have no finding, and the command behaves as CI expects, with and without the schemas."""

from __future__ import annotations

import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.check_manifests.__main__ import CHECKOUT, find_crd_dir, main
from scripts.check_manifests.documents import ManifestUnreadable
from scripts.check_manifests.facts import load_facts
from scripts.check_manifests.folder import documented_keys, find_renderer
from scripts.check_manifests.report import Report, check_folder
from tests.services.pytest_evidence import Tell

KNATIVE = CHECKOUT / "knative"


@pytest.fixture
def knative(tmp_path: Path) -> Path:
    """A copy of knative/ to spoil."""
    return Path(shutil.copytree(KNATIVE, tmp_path / "knative"))


def check(root: Path, *, renderer: list[str] | None = None) -> Report:
    return check_folder(root, load_facts(), crd_dir=None, renderer=renderer)


@pytest.fixture(params=["as they are here", "absent"])
def schemas(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """With the schemas that this machine has (CRD_DIR), then without any, as in a fresh clone."""
    if request.param == "absent":
        monkeypatch.setenv("CRD_DIR", str(tmp_path / "absent"))
    return str(request.param)


@pytest.mark.usefixtures("schemas")
def test_the_shipped_manifests_have_no_finding(tell: Tell) -> None:
    crd_dir = find_crd_dir()

    report = check_folder(KNATIVE, load_facts(), crd_dir=crd_dir, renderer=find_renderer())

    assert [str(finding) for finding in report.findings] == []
    assert report.objects_checked > 0
    for line in report.summary():
        tell(f"knative/: {line}")  # a run without schemas or without a renderer says so at its end
    said = "\n".join(report.summary())
    assert ("schemas not present" in said) is (crd_dir is None)
    assert ("no renderer" in said) is (find_renderer() is None)


def test_without_schemas_the_summary_counts_what_was_not_checked() -> None:
    report = check(KNATIVE)

    custom = 11  # six Knative Services, the PingSource, two ScaledObjects, two TriggerAuthentications
    assert f"NOT CHECKED: schemas not present: {custom} objects unchecked" in report.summary()


def test_without_a_renderer_the_summary_names_the_overlays() -> None:
    summary = "\n".join(check(KNATIVE).summary())

    assert "NOT CHECKED: no renderer" in summary
    assert "overlays dev, production unchecked" in summary


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--strict"], 1)])
def test_strict_makes_absent_schemas_a_failure(
    arguments: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CRD_DIR", str(tmp_path / "absent"))

    assert main(arguments) == code

    assert "schemas not present" in capsys.readouterr().out


@pytest.mark.usefixtures("schemas")
def test_a_finding_makes_the_exit_code_1_and_is_printed_with_file_and_line(
    knative: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scaling = knative / "base" / "worker-scaling.yaml"
    text = scaling.read_text(encoding="utf-8").replace("protocol: http\n", "protocol: amqp\n", 1)
    scaling.write_text(text, encoding="utf-8")
    line = text.splitlines().index("        protocol: amqp") + 1

    assert main([str(knative)]) == 1

    said = capsys.readouterr().out.splitlines()
    start = f"knative/base/worker-scaling.yaml:{line}: ScaledObject/worker: R11: spec.triggers[0].metadata.protocol: "
    assert said[0].startswith(start + 'expected "http", found "amqp"')
    findings = [text for text in said if text.startswith("knative/")]  # the summary names the rules too
    assert sum(": R11: " in text for text in findings) == 1  # not once more for each overlay


def test_a_renamed_queue_or_setting_or_a_longer_actor_is_found() -> None:
    facts = load_facts()

    def rules(**changes: object) -> set[str]:
        changed = replace(facts, **changes)  # type: ignore[arg-type]
        return {f.rule for f in check_folder(KNATIVE, changed, crd_dir=None, renderer=None).findings}

    assert rules(queues=frozenset(["default", "mails"])) == {"R11"}
    assert rules(settings=facts.settings - {"TICK_TOKEN"}) == {"R13"}
    assert rules(actor_time_limit_s=150.0) == {"R12"}


def test_each_secret_is_documented_and_each_documented_one_is_used(knative: Path) -> None:
    readme = knative / "README.md"
    assert ("nestor-app", "tick-token") in documented_keys(readme)

    readme.write_text(readme.read_text(encoding="utf-8").replace("`tick-token` |", "`tock-token` |"), encoding="utf-8")

    found = [str(finding) for finding in check(knative).findings]
    assert len(found) == 2
    assert "`nestor-app` | `tick-token` in the Secrets table" in found[0]
    assert "`nestor-app` | `tock-token` is documented, but no manifest refers to it" in found[1]


def test_a_manifest_that_the_kustomization_forgot_is_found(knative: Path) -> None:
    (knative / "base" / "extra.yaml").write_text("apiVersion: v1\nkind: Service\n", encoding="utf-8")

    (found,) = check(knative).findings

    assert "expected extra.yaml among the resources" in str(found)


@pytest.mark.parametrize("text", ["a: [", "just: a mapping"])
def test_a_file_that_is_no_manifest_is_refused_by_its_name(knative: Path, text: str) -> None:
    (knative / "base" / "pdb.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ManifestUnreadable, match=r"^knative/base/pdb\.yaml: "):
        check(knative)
    assert main([str(knative)]) == 2


def fake_renderer(folder: Path, script: str) -> list[str]:
    program = folder / "kustomize"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return [str(program), "build"]


def test_an_overlay_that_does_not_render_is_a_finding(tmp_path: Path) -> None:
    renderer = fake_renderer(tmp_path, "echo 'no such patch' >&2; exit 1")

    found = [str(finding) for finding in check(KNATIVE, renderer=renderer).findings]

    assert [text.split(": ")[0] for text in found] == [
        "knative/overlays/dev/kustomization.yaml",
        "knative/overlays/production/kustomization.yaml",
    ]
    assert all(text.endswith("no such patch") for text in found)


def test_rules_hold_for_what_an_overlay_renders_and_digests_only_for_production(tmp_path: Path) -> None:
    rendered = tmp_path / "rendered.yaml"
    job = (KNATIVE / "base" / "migrate-job.yaml").read_text(encoding="utf-8")
    rendered.write_text(job.replace("cpu: 100m, ", ""), encoding="utf-8")
    renderer = fake_renderer(tmp_path, f"cat {rendered}")

    report = check(KNATIVE, renderer=renderer)

    found = {(finding.source, finding.rule) for finding in report.findings}
    assert ("knative/overlays/dev (rendered)", "R7") in found
    assert {source for source, rule in found if rule == "R16"} == {"knative/overlays/production (rendered)"}


def test_the_renderer_named_by_the_environment_comes_first() -> None:
    assert find_renderer({"KUSTOMIZE": "/opt/kustomize"}) == ["/opt/kustomize", "build"]
