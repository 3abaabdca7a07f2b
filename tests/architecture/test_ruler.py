"""One ruler: no line of Python has more than 120 columns, docstrings, comments and texts included."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import pytest

from tests.architecture.code import REPOSITORY
from tests.architecture.test_repository import tracked

COLUMNS_MAX = 120
# Folders that still have longer lines. A number may only shrink.
LONGER: dict[str, int] = {
    "functions": 22,
    "functions/gateway": 24,
    "functions/views": 21,
    "functions/webhooks": 21,
    "models": 22,
    "models/attachments": 38,
    "models/blobs": 39,
    "models/channels": 37,
    "models/conversations": 53,
    "models/definitions": 33,
    "models/deliveries": 54,
    "models/events": 36,
    "models/expressions": 45,
    "models/idempotency": 21,
    "models/identity": 43,
    "models/inbound": 27,
    "models/inbox": 28,
    "models/infomodel": 32,
    "models/kernel": 96,
    "models/migrations": 98,
    "models/ports": 68,
    "models/privacy": 34,
    "models/publishing": 33,
    "models/requesters": 35,
    "models/sla": 27,
    "models/staff": 23,
    "models/staff_chat": 27,
    "models/subscriptions": 54,
    "models/tasks": 70,
    "models/teams": 23,
    "models/ticket_actions": 22,
    "models/ticket_workflow": 31,
    "models/workflow": 32,
    "queues": 108,
    "queues/actors": 36,
    "queues/channels": 30,
    "queues/channels/email": 184,
    "queues/channels/telegram": 78,
    "queues/channels/webhook": 43,
    "queues/pulling": 28,
    "queues/wakeups": 25,
    "tests": 29,
    "tests/end_to_end": 27,
    "tests/faults": 49,
    "tests/functions": 39,
    "tests/models/blobs": 21,
    "tests/models/deliveries": 21,
    "tests/models/events": 22,
    "tests/models/expressions": 21,
    "tests/models/kernel": 27,
    "tests/models/migrations": 22,
    "tests/models/ports": 21,
    "tests/models/staff_chat": 22,
    "tests/models/ticket_workflow": 21,
    "tests/queues": 42,
    "tests/queues/channels": 70,
}


def folder_of(path: PurePosixPath) -> str:
    """The folder that a file is counted in: two levels, three below queues/channels and the mirrors of tests/."""
    depth = 3 if path.parts[:2] in {("queues", "channels"), ("tests", "models"), ("tests", "queues")} else 2
    return "/".join(path.parts[: min(depth, len(path.parts) - 1)])


def _long_lines() -> Counter[str]:
    return Counter(
        folder_of(PurePosixPath(path.relative_to(REPOSITORY).as_posix()))
        for path in tracked()
        if path.suffix == ".py"
        for line in path.read_text(encoding="utf-8").split("\n")
        if len(line) > COLUMNS_MAX
    )


def test_no_folder_has_more_long_lines_than_it_had() -> None:
    """A line that runs out of the window is read by scrolling, or not at all."""
    found = {folder: count for folder, count in _long_lines().items() if count > LONGER.get(folder, 0)}

    assert found == {}


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("scripts/bench/load.py", "scripts/bench"),
        ("scripts/replay.py", "scripts"),
        ("queues/channels/email/send.py", "queues/channels/email"),
        ("queues/runner.py", "queues"),
        ("tests/models/tasks/test_rates.py", "tests/models/tasks"),
    ],
)
def test_a_file_is_counted_in_its_folder(path: str, folder: str) -> None:
    assert folder_of(PurePosixPath(path)) == folder
