"""The end of a test run says where the time went, what was measured and what was left out, with one process and with
several.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PLUGINS = (
    *("tests.services.pytest_times", "tests.services.pytest_services"),
    *("tests.services.pytest_evidence", "tests.services.pytest_extended", "xdist"),
)
_run_s = 120.0

TESTS = {
    "first/test_busy.py": """
        import time

        def test_that_computes():
            until = time.process_time() + 0.2
            while time.process_time() < until:
                pass
    """,
    "second/test_told.py": """
        import pytest

        def test_that_measures(tell):
            tell("a kite flew 7 m high")

        @pytest.mark.extended
        def test_that_takes_long():
            pass
    """,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tests in two folders, away from this repository's settings."""
    root = tmp_path_factory.mktemp("project")
    for name, text in TESTS.items():
        file = root / name
        file.parent.mkdir()
        lines = [line.removeprefix(" " * 8) for line in text.splitlines()]
        file.write_text("\n".join(lines), encoding="utf-8")
    (root / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return root


def run(project: Path, *arguments: str) -> str:
    """The output of pytest in the project; every test in it passes."""
    plugins = [word for name in PLUGINS for word in ("-p", name)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=_run_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=[(), ("-n", "2")], ids=["one process", "two processes"])
def said(project: Path, request: pytest.FixtureRequest) -> str:
    """The output of a run of all tests but the extended one."""
    return run(project, *request.param)


def test_the_end_of_a_run_has_the_seconds_of_each_folder(said: str) -> None:
    rows = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line}
    tests, wall_s, cpu_s = rows["first"]
    assert tests == "1"
    assert float(wall_s) >= 0.2
    assert float(cpu_s) >= 0.2
    assert rows["second"][0] == "1"
    assert rows["all"][0] == "2"


def test_the_end_of_a_run_has_the_lines_that_a_passing_test_told(said: str) -> None:
    assert "\na kite flew 7 m high\n" in said


def test_an_extended_test_is_left_out_and_counted(said: str) -> None:
    assert "Left out: 1 extended tests" in said
    assert "2 passed" in said


@pytest.mark.parametrize(
    "wanted",
    ["--all", "-n 2 --all", "first second/test_told.py", "second/test_told.py::test_that_takes_long"],
)
def test_an_extended_test_runs_when_it_is_asked_for(project: Path, wanted: str) -> None:
    said = run(project, "-v", *wanted.split())

    assert "Left out" not in said
    assert any("test_that_takes_long" in line and "PASSED" in line for line in said.splitlines())


def test_extended_tests_can_be_chosen_by_their_marker(project: Path) -> None:
    assert "1 passed, 2 deselected" in run(project, "-m", "extended")
