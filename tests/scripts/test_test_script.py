"""`./scripts/test` and `.ci/run`: the pytest that they start and what they say. A fake Python prints its arguments."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.code import REPOSITORY

_run_s = 60.0
FAKE_PYTHON = """#!/bin/sh
[ "$1" != -m ] || [ "$2" = pip ] || echo "started: $*"
case "$*" in *"$FAILING"*) exit 3 ;; esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts in a folder whose virtual environment is the fake Python; nothing is installed from there."""
    for name in ("scripts", ".ci", ".venv/bin", "bin", "models"):
        (tmp_path / name).mkdir(parents=True)
    requirements = ("requirements.txt", "requirements-demo.txt", "requirements-dev.txt")
    for name in ("scripts/run", "scripts/test", "scripts/_venv.sh", ".ci/run", *requirements):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    (tmp_path / "constraints.txt").touch()
    (tmp_path / "models" / "any.py").touch()
    for name, text in {
        ".venv/bin/python": FAKE_PYTHON,
        "bin/nproc": "#!/bin/sh\necho 2\n",
        "bin/ip": "#!/bin/sh\n",
        "bin/apt-get": "#!/bin/sh\nexit 1\n",
        "bin/docker": "#!/bin/sh\nexit 1\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def run(checkout: Path, *command: str, failing: str = "nothing") -> subprocess.CompletedProcess[str]:
    path = f"{checkout / 'bin'}:{os.environ.get('PATH', os.defpath)}"
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "PYTHON")}
    return subprocess.run(
        command,
        cwd=checkout,
        env={**environment, "PATH": path, "FAILING": failing},
        capture_output=True,
        text=True,
        timeout=_run_s,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "started"),
    [
        ((), "-n 2 --dist worksteal"),
        (("tests/models", "-k", "identity or money"), "tests/models -k identity or money"),
        (("--all", "tests/faults"), "--all tests/faults"),
        (("-n", "3"), "-n 3"),
    ],
)
def test_all_tests_run_in_a_process_for_each_core_and_chosen_ones_as_they_are_asked_for(
    checkout: Path, arguments: tuple[str, ...], started: str
) -> None:
    done = run(checkout, "./scripts/test", *arguments)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"started: -m pytest {started}".rstrip()


@pytest.mark.parametrize("failing", ["--dist worksteal", "-m extended"])
def test_the_extended_tests_run_after_the_others_in_one_process_and_each_failure_counts(
    checkout: Path, failing: str
) -> None:
    whole, failed = run(checkout, "./scripts/test", "--all"), run(checkout, "./scripts/test", "--all", failing=failing)

    started = ["started: -m pytest -n 2 --dist worksteal", "started: -m pytest --all -m extended"]
    assert (whole.returncode, failed.returncode) == (0, 3)
    assert whole.stdout.splitlines()[-2:] == failed.stdout.splitlines()[-2:] == started


def test_a_machine_of_many_cores_runs_four_processes_and_one_of_one_core_none(checkout: Path) -> None:
    nproc = checkout / "bin" / "nproc"
    said = []
    for cores in (64, 1):
        nproc.write_text(f"#!/bin/sh\necho {cores}\n", encoding="utf-8")
        said.append(run(checkout, "./scripts/test").stdout.splitlines()[-1])

    assert said == ["started: -m pytest -n 4 --dist worksteal", "started: -m pytest"]


@pytest.mark.parametrize(("arguments", "demo"), [((), True), (("--port", "1"), True), (("--no-demo",), False)])
def test_only_a_desk_with_the_demo_installs_the_packages_of_the_sandbox(
    checkout: Path, arguments: tuple[str, ...], demo: bool
) -> None:
    done = run(checkout, "./scripts/run", *arguments)

    assert done.returncode == 0, done.stderr
    assert "installing requirements.txt" in done.stderr
    assert ("installing requirements-demo.txt" in done.stderr) is demo
    assert f"started: -m scripts.desk {' '.join(arguments)}".rstrip() in done.stdout.splitlines()


@pytest.mark.usefixtures(
    "postgres_server", "rabbit_server", "imap_server", "pooler", "clamd_server"
)  # .ci/run fails without them
def test_ci_runs_the_extended_tests_too_and_says_what_each_part_took(checkout: Path) -> None:
    done = run(checkout, ".ci/run")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "started: -m pytest -n 2 --dist worksteal" in lines
    assert "started: -m pytest --all -m extended" in lines
    parts = [line.split(maxsplit=1)[1] for line in lines[lines.index("=== seconds by part") + 1 : -1]]
    assert parts == [*("Debian packages", "Python packages", "ruff check", "ruff format", "mypy", "manifests", "tests")]
    assert lines[-1].startswith("=== all passed")


@pytest.mark.usefixtures(
    "postgres_server", "rabbit_server", "imap_server", "pooler", "clamd_server"
)  # .ci/run fails without them
@pytest.mark.parametrize("part", ["ruff check", "mypy", "scripts.check_manifests", "pytest"])
def test_ci_stops_at_the_first_part_that_fails(checkout: Path, part: str) -> None:
    done = run(checkout, ".ci/run", failing=f"-m {part}")

    assert done.returncode == 1
    assert "FAILED with 3" in done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"started: -m {part}")
