"""Two desks, prepared once a session, and the post office between them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.end_to_end.post_office import ROOT, PostOffice, desk_process, environment
from tests.queues.channels.email.writing.relay import Relay

OURS, THEIRS = "desk@ours.example", "help@theirs.example"
_prepare_s = 120.0


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A filled database for each desk, to be copied."""
    found = {}
    for address in (OURS, THEIRS):
        folder = tmp_path_factory.mktemp("prepared")
        database = folder / "desk.db"
        command = [sys.executable, "-m", "tests.end_to_end.mail_desk", address, str(folder)]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(database, "smtp://192.0.2.1:25"),
            timeout=_prepare_s,
            check=False,
        )
        assert done.returncode == 0
        found[address] = database
    return found


@pytest.fixture
def office(prepared: dict[str, Path], tmp_path: Path) -> Iterator[PostOffice]:
    """Both desks run, and send to one relay."""
    with ExitStack() as stack:
        relay = stack.enter_context(Relay())
        made = PostOffice(relay)
        for address, template in prepared.items():
            database = tmp_path / f"{address.partition('@')[0]}.db"
            shutil.copy(template, database)
            made.desks[address] = stack.enter_context(desk_process(database, relay.url()))
        yield made
