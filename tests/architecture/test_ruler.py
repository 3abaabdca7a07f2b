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
    "functions": 29,
    "functions/gateway": 29,
    "functions/http": 5,
    "functions/tick": 5,
    "functions/views": 26,
    "functions/webhooks": 26,
    "models": 27,
    "models/attachments": 43,
    "models/blobs": 44,
    "models/channels": 42,
    "models/conversations": 60,
    "models/definitions": 38,
    "models/deliveries": 64,
    "models/events": 41,
    "models/expressions": 51,
    "models/idempotency": 26,
    "models/identity": 48,
    "models/inbound": 32,
    "models/inbox": 33,
    "models/infomodel": 39,
    "models/kernel": 102,
    "models/migrations": 103,
    "models/ports": 73,
    "models/privacy": 39,
    "models/publishing": 38,
    "models/requesters": 40,
    "models/sla": 32,
    "models/staff": 28,
    "models/staff_chat": 32,
    "models/subscriptions": 59,
    "models/tasks": 81,
    "models/teams": 28,
    "models/ticket_actions": 28,
    "models/ticket_workflow": 36,
    "models/tickets": 5,
    "models/workflow": 37,
    "queues": 114,
    "queues/actors": 41,
    "queues/channels": 35,
    "queues/channels/email": 124,
    "queues/channels/telegram": 83,
    "queues/channels/webhook": 48,
    "queues/pulling": 33,
    "queues/wakeups": 30,
    "tests/end_to_end": 5,
    "tests/faults": 26,
    "tests/functions": 28,
    "tests/models/attachments": 5,
    "tests/models/blobs": 5,
    "tests/models/channels": 5,
    "tests/models/conversations": 5,
    "tests/models/definitions": 5,
    "tests/models/deliveries": 26,
    "tests/models/events": 5,
    "tests/models/expressions": 26,
    "tests/models/identity": 5,
    "tests/models/inbound": 5,
    "tests/models/inbox": 5,
    "tests/models/infomodel": 5,
    "tests/models/kernel": 5,
    "tests/models/migrations": 26,
    "tests/models/ports": 5,
    "tests/models/sla": 5,
    "tests/models/staff_chat": 27,
    "tests/models/tasks": 5,
    "tests/models/ticket_actions": 5,
    "tests/models/ticket_workflow": 5,
    "tests/models/workflow": 5,
    "tests/queues": 5,
    "tests/queues/channels": 42,
    "tests/queues/pulling": 5,
    "tests/queues/wakeups": 5,
    "tests/workflow_defs": 5,
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
