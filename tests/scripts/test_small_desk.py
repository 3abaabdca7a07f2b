"""`./scripts/run --no-demo`: a small desk for real people, whose data and addresses are its operator's."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from models.kernel.errors import ConfigurationError
from scripts import _cli
from scripts.desk import __main__ as desk
from tests.scripts.test_desk_addresses import options

ROOT = Path(__file__).resolve().parents[2]


def test_it_keeps_the_operators_public_address_and_the_demo_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://desk.example.org")

    small, demo = desk.Desk(options(tmp_path)), desk.Desk(options(tmp_path, no_demo=False))

    for one in (small, demo):
        one.folder.path.mkdir(exist_ok=True)
    assert small._environment()["PUBLIC_URL"] == "https://desk.example.org"
    assert demo._environment()["PUBLIC_URL"] == demo.url


def test_the_printed_command_makes_the_first_admin_in_the_desks_database(tmp_path: Path) -> None:
    small = desk.Desk(options(tmp_path))
    small.folder.take()
    small._prepare(small._environment())

    command = small._first_admin()
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,  # from any folder
        env={**bare, "NEW_PASSWORD": "correct horse battery staple 7"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("created admin you@example.org")
    assert small.folder.database_url in shlex.split(command)[0]


@pytest.mark.parametrize(("terminal", "answer"), [(False, ""), (True, "yes\n"), (True, "\n")])
def test_its_data_is_deleted_only_by_the_typed_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool, answer: str
) -> None:
    small = desk.Desk(options(tmp_path, reset=True))
    small.folder.path.mkdir()
    database = small.folder.path / "nestor.db"
    database.write_text("tickets")
    monkeypatch.setattr(sys, "stdin", typed(answer, terminal=terminal))

    with pytest.raises(ConfigurationError, match="no terminal" if not terminal else "nothing was deleted"):
        small.run()

    assert database.read_text() == "tickets"


def test_the_typed_word_permits_the_deletion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = desk.Desk(options(tmp_path))
    small.folder.path.mkdir()
    (small.folder.path / "nestor.db").write_text("tickets")
    monkeypatch.setattr(sys, "stdin", typed("delete\n", terminal=True))

    desk._confirm_reset(small.folder)


def typed(answer: str, *, terminal: bool) -> io.StringIO:
    stdin = io.StringIO(answer)
    stdin.isatty = lambda: terminal  # type: ignore[method-assign]
    return stdin


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt, 130), (EOFError, 1)])
def test_a_command_that_a_person_ends_shows_no_traceback(
    raised: type[BaseException], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def main() -> int:
        raise raised

    with pytest.raises(SystemExit) as ended:
        _cli.end(main)

    assert ended.value.code == code
    assert capsys.readouterr().err.strip().startswith("nestor: ")


def test_an_environment_that_cannot_be_replaced_is_named(tmp_path: Path) -> None:
    """The folder of another user, as far as this test can make one: `rm` fails, and the folder stays."""
    (tmp_path / "bin").mkdir()
    failing = tmp_path / "bin" / "rm"
    failing.write_text("#!/bin/sh\nexit 1\n")
    failing.chmod(0o755)
    (tmp_path / ".venv").mkdir()
    script = (
        f"set -eu; root={tmp_path}; . {ROOT}/scripts/_venv.sh; PATH={tmp_path}/bin:$PATH; nestor_venv requirements.txt"
    )

    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert f"{tmp_path}/.venv is unsound and cannot be replaced" in done.stderr
