"""Dockerfile and compose.yaml agree with the code and with knative/, and keep the container contract."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from scripts.check_manifests.__main__ import CHECKOUT
from scripts.check_manifests.documents import read_documents
from scripts.check_manifests.facts import load_facts

DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: s for name, s in COMPOSE["services"].items() if s["image"].startswith("nestor")}


def values(instruction: str) -> list[str]:
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def test_no_instruction_of_the_image_needs_a_shell_so_that_python_gets_sigterm() -> None:
    for instruction in ("RUN", "ENTRYPOINT", "CMD"):
        for value in values(instruction):
            assert isinstance(json.loads(value), list)
    assert json.loads(values("ENTRYPOINT")[-1])[0].endswith("/python")


def test_the_image_runs_as_a_user_without_rights_and_with_compiled_bytecode() -> None:
    assert values("USER") == ["10001:10001"]
    assert sum("compileall" in value for value in values("RUN")) == 2  # the libraries and the application
    assert "PYTHONDONTWRITEBYTECODE" not in DOCKERFILE
    assert values("ARG") == ["BASE=python:3.11-slim"]


def test_the_build_context_holds_what_the_image_copies() -> None:
    allowed = {
        line[1:] for line in (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"
    }
    copied = {word for value in values("COPY") if not value.startswith("--from") for word in value.split()[:-1]}

    assert copied == allowed


NOT_IN_THE_IMAGE = ("scripts/bench", "scripts/desk", "scripts/sandbox", "scripts/screenshots")


def test_the_image_has_neither_the_demo_nor_its_sandbox_nor_the_load_generator() -> None:
    """Such programs answer everybody, hold public passwords and send load; a desk needs none of them."""
    left_out = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    modules = [name.replace("/", ".") for name in NOT_IN_THE_IMAGE]

    assert set(NOT_IN_THE_IMAGE) <= set(left_out)
    assert not [
        path
        for folder in values("COPY")
        if not folder.startswith(("--from", "requirements"))
        for path in (CHECKOUT / folder.split()[0]).rglob("*.py")
        if not path.relative_to(CHECKOUT).as_posix().startswith(NOT_IN_THE_IMAGE)
        if re.search(rf"^\s*(?:from|import) (?:{'|'.join(map(re.escape, modules))})\b", path.read_text("utf-8"), re.M)
    ]


def test_compose_publishes_ports_on_the_loopback_only() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


# Addresses without a password; files lie in a volume unless a bucket is named, and only that has a key.
NO_SECRET = {
    "PUBLIC_URL": "${PUBLIC_URL:-http://127.0.0.1:8080}",
    "FILES_URL": "${FILES_URL:-}",
    "BLOB_URL": "${BLOB_URL:-file:/blobs}",
    "BLOB_SECRET_KEY": "${BLOB_SECRET_KEY:-}",
}


def test_compose_has_no_secret_and_no_default_for_one() -> None:
    for name, service in COMPOSE["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASS|SECRET|_URL$", variable) and variable not in NO_SECRET:
                assert ":?" in value, f"{name}: {variable}: expected a required value from outside"
            assert value == NO_SECRET.get(variable, value)


@pytest.mark.parametrize("name", sorted(OURS))
def test_compose_sets_only_variables_that_the_settings_read(name: str) -> None:
    known = load_facts().settings | {"dramatiq_queue_prefetch"}

    assert set(OURS[name]["environment"]) <= known


def test_every_process_waits_for_a_successful_bootstrap() -> None:
    for name, service in OURS.items():
        if name != "bootstrap":
            assert service["depends_on"]["bootstrap"] == {"condition": "service_completed_successfully"}, name
    assert set(OURS) == {"bootstrap", "gateway", "console", "webhooks", "worker", "worker-sends", "scheduler"}


@pytest.mark.parametrize("name", ["gateway", "console", "worker", "worker-sends"])
def test_all_that_touch_files_see_the_same_folder(name: str) -> None:
    assert OURS[name]["volumes"] == ["blobs:/blobs"]
    assert "blobs" in COMPOSE["volumes"]
    assert '"10001", "/blobs"' in (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("worker", ["worker", "worker-sends"])
def test_compose_and_knative_start_the_same_worker(worker: str) -> None:
    text = (CHECKOUT / "knative" / "base" / f"{worker}.yaml").read_text(encoding="utf-8")
    (deployment,) = read_documents(text, f"{worker}.yaml")

    assert OURS[worker]["command"] == deployment.get("spec", "template", "spec", "containers", 0, "args")


def test_bootstrap_publishes_the_accounts_of_the_checkout_and_no_demo() -> None:
    """What compose.yaml tells people to write must be read by what it starts."""
    bootstrap = OURS["bootstrap"]

    assert bootstrap["volumes"] == ["./workflow_defs:/app/workflow_defs:ro"]
    assert bootstrap["command"] == ["scripts.bootstrap"]
    assert "_DEMO_" not in (CHECKOUT / "compose.yaml").read_text(encoding="utf-8")
