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
    "functions": 3,
    "functions/gateway": 20,
    "functions/http": 34,
    "functions/tick": 1,
    "functions/views": 8,
    "functions/webhooks": 2,
    "models": 2,
    "models/attachments": 18,
    "models/blobs": 19,
    "models/channels": 17,
    "models/conversations": 35,
    "models/definitions": 13,
    "models/deliveries": 32,
    "models/events": 16,
    "models/expressions": 25,
    "models/idempotency": 1,
    "models/identity": 23,
    "models/inbound": 7,
    "models/inbox": 8,
    "models/infomodel": 12,
    "models/kernel": 75,
    "models/migrations": 78,
    "models/ports": 38,
    "models/privacy": 14,
    "models/publishing": 13,
    "models/requesters": 15,
    "models/sla": 7,
    "models/staff": 3,
    "models/staff_chat": 7,
    "models/subscriptions": 34,
    "models/tasks": 50,
    "models/teams": 3,
    "models/ticket_actions": 2,
    "models/ticket_workflow": 11,
    "models/workflow": 12,
    "queues": 86,
    "queues/actors": 16,
    "queues/channels": 7,
    "queues/channels/email": 163,
    "queues/channels/telegram": 58,
    "queues/channels/webhook": 23,
    "queues/pulling": 8,
    "queues/wakeups": 5,
    "tests": 9,
    "tests/end_to_end": 7,
    "tests/faults": 29,
    "tests/functions": 18,
    "tests/models/blobs": 1,
    "tests/models/deliveries": 1,
    "tests/models/events": 2,
    "tests/models/expressions": 1,
    "tests/models/kernel": 7,
    "tests/models/migrations": 2,
    "tests/models/staff_chat": 2,
    "tests/models/ticket_workflow": 1,
    "tests/queues": 22,
    "tests/queues/channels": 50,
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
