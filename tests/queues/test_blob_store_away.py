"""A blob store that is away holds up what has files, for as long as it takes, and nothing else; nothing is lost or
given up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.blobs import stores
from models.blobs.store import BlobStoreAway
from models.kernel import limits
from models.ports.inbound import AttachmentInfo, InboundMessage
from queues import sweep
from tests.desk import Desk
from tests.queues.test_fetch_attachment import Provider, file, files_of, message, provider

__all__ = ["provider"]
LONG_S = 12 * 3600


@pytest.fixture
def away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The store is away until `away.undo()`."""
    patched = pytest.MonkeyPatch()

    def refuse(self: object, *arguments: object, **named: object) -> None:
        raise BlobStoreAway()

    for name in ("put", "delete"):
        patched.setattr(type(stores.current()), name, refuse)
    yield patched
    patched.undo()


def mail(*files: AttachmentInfo, sender: str = "ada@example.com") -> InboundMessage:
    return InboundMessage(sender, "Ada", sender, "See the file.", attachments=files)


def wait_long(desk: Desk) -> None:
    """Half a day of trying."""
    for _ in range(20):
        desk.advance(seconds=LONG_S / 20)
        desk.run_due()


def test_a_mail_with_a_file_waits_and_others_come_through(desk: Desk, away: pytest.MonkeyPatch) -> None:
    waiting = desk.receive(mail(AttachmentInfo("a.png", "image/png", 3, content=b"abc")))
    desk.receive(mail(sender="mira@example.com"))
    desk.run_due()
    wait_long(desk)
    assert len(desk.tickets()) == 1
    assert desk.inbox(waiting)["status"] == "stored"

    away.undo()
    desk.advance(seconds=limits.blob_away_wait_s + 1)
    desk.run_due()

    assert desk.inbox(waiting)["status"] == "processed"
    assert len(desk.tickets()) == 2
    assert desk.tasks("dead") == []


def test_a_file_at_the_provider_waits(desk: Desk, provider: Provider, away: pytest.MonkeyPatch) -> None:
    desk.receive(message(file()), channel="telegram")
    desk.run_due()
    wait_long(desk)
    assert files_of(desk)[0]["state"] == "pending"

    away.undo()
    desk.advance(seconds=limits.blob_away_wait_s + 1)
    desk.run_due()

    assert files_of(desk)[0]["state"] == "stored"


def test_collecting_waits_and_goes_on(desk: Desk, tmp_path: Path, away: pytest.MonkeyPatch) -> None:
    away.undo()
    event = desk.receive(mail(AttachmentInfo("a.png", "image/png", 3, content=b"abc")))
    desk.run_due()
    assert desk.inbox(event)["status"] == "processed"
    _forget_all_files()
    with pytest.MonkeyPatch.context() as again:
        again.setattr(type(stores.current()), "delete", _away)
        sweep.ensure_housekeeping()
        desk.advance(seconds=limits.unused_blobs_kept_s + 4000)
        desk.run_due()
        wait_long(desk)
        assert len(_objects(tmp_path)) == 1

    desk.advance(seconds=limits.blob_away_wait_s + 1)
    desk.run_due()

    assert _objects(tmp_path) == []
    assert desk.tasks("dead") == []


def _away(self: object, key: str) -> None:
    raise BlobStoreAway()


def _forget_all_files() -> None:
    from models.kernel.storage import database

    with database.transaction():
        database.execute("DELETE FROM attachments")


def _objects(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "blobs").rglob("*-*") if path.is_file()]
