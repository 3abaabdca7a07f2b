"""A new channel touches one folder: one from a temporary folder passes the suite of all channels, with no other code
changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.code import REPOSITORY

HERE = Path(__file__).parent
SUITES = ("test_conformance.py", "test_conformance_outbound.py")
_suites_s_max = 300.0


@pytest.fixture
def added(tmp_path: Path) -> Path:
    """The channel `pigeon` in a folder of its own, its provider's manners, and the definitions with
    an account of it.
    """
    source = HERE / "added_channel"
    shutil.copytree(source / "pigeon", tmp_path / "channels" / "pigeon", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "manners").mkdir()
    shutil.copy(source / "manners.py", tmp_path / "manners" / "pigeon.py")
    shutil.copytree(REPOSITORY / "workflow_defs", tmp_path / "workflow_defs")
    shutil.copy(source / "pigeon.demo.yaml", tmp_path / "workflow_defs" / "channels")
    return tmp_path


def test_a_channel_from_a_temporary_folder_passes_the_suite_of_all_channels(added: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider"),
            *("-p", "tests.queues.channels.added_channel.plugin", "-k", "pigeon and not postgresql"),
            *(str(HERE / suite) for suite in SUITES),
        ],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "ADDED_CHANNELS": str(added),
            "NESTOR_SECRET_PIGEON_DEMO_BEARER": "demo-secret",
            "NESTOR_SECRET_PIGEON_DEMO_REPLY_URL": "http://192.0.2.1:80/",
        },
        capture_output=True,
        text=True,
        timeout=_suites_s_max,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-2_000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 14
    assert "skipped" not in done.stdout


def test_no_file_of_the_program_names_the_added_channel() -> None:
    naming = [
        path.relative_to(REPOSITORY).as_posix()
        for folder in ("models", "queues", "functions", "scripts", "workflow_defs")
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in {".py", ".yaml"} and "pigeon" in path.read_text(encoding="utf-8").lower()
    ]

    assert naming == []
