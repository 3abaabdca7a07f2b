"""The actor that deletes expired rows and unused files: finished tasks, idempotency keys, ended sessions, full rate
buckets.

It works in batches, so that no lock is held for long.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Protocol

from models.attachments import collecting
from models.blobs import commands as blobs
from models.blobs.store import BlobStoreAway
from models.bulk import jobs as bulk
from models.drafts import commands as drafts
from models.imports import jobs as imports
from models.kernel import clock, limits
from models.kernel.storage import database
from models.notices import limits as notice_limits
from models.notices import planning
from models.presence import commands as presence
from models.privacy import purging
from models.read_marks import commands as read_marks
from models.read_marks import limits as read_mark_limits
from models.subscriptions import deliveries as webhook_deliveries
from models.tasks import rates
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import CollectGarbage
from models.undo import limits as undo_limits
from queues.actor import Actor
from queues.settlement import Done, Postponed, Settlement


class Collect(Protocol):
    """Delete up to `batch_max` rows and return their number."""

    def __call__(self, *, batch_max: int) -> int: ...


_FINISHED_TASKS = (
    "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE state IN ('done', 'discarded')"
    " AND finished_at < :before LIMIT :batch)"
)
_ENDED_SESSIONS = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < :before LIMIT :batch)"
_OLD_KEYS = (
    "DELETE FROM idempotency_keys WHERE (principal, key) IN"
    " (SELECT principal, key FROM idempotency_keys WHERE created_at < :before LIMIT :batch)"
)
_OLD_NOTICE_DELIVERIES = (
    "DELETE FROM notice_deliveries WHERE id IN (SELECT id FROM notice_deliveries WHERE created_at < :before"
    " AND state NOT IN ('waiting', 'handed_over') LIMIT :batch)"
)
_OLD_NOTICE_ANSWERS = (
    "DELETE FROM notice_answers WHERE (mail_id, external_id) IN"
    " (SELECT mail_id, external_id FROM notice_answers WHERE created_at < :before LIMIT :batch)"
)
_OLD_UNDOS = "DELETE FROM undos WHERE id IN (SELECT id FROM undos WHERE expires_at < :before LIMIT :batch)"


# Rows without a use after their expiry.
_EXPIRED = (
    "DELETE FROM webhook_nonces WHERE (channel, account, nonce) IN"
    " (SELECT channel, account, nonce FROM webhook_nonces WHERE expires_at < :before LIMIT :batch)",
    "DELETE FROM requester_links WHERE id IN (SELECT id FROM requester_links WHERE expires_at < :before LIMIT :batch)",
    "DELETE FROM requester_codes WHERE id IN (SELECT id FROM requester_codes WHERE expires_at < :before LIMIT :batch)",
    "DELETE FROM desk_mails WHERE id IN (SELECT id FROM desk_mails WHERE expires_at < :before LIMIT :batch)",
    "DELETE FROM password_links WHERE id IN (SELECT id FROM password_links WHERE expires_at < :before LIMIT :batch)",
    "DELETE FROM sign_in_challenges WHERE id IN (SELECT id FROM sign_in_challenges WHERE expires_at < :before"
    " LIMIT :batch)",
    "DELETE FROM portal_links WHERE id IN (SELECT id FROM portal_links WHERE expires_at < :before LIMIT :batch)",
    "DELETE FROM portal_sessions WHERE id IN (SELECT id FROM portal_sessions WHERE expires_at < :before LIMIT :batch)",
    "DELETE FROM user_links WHERE token_hash IN (SELECT token_hash FROM user_links WHERE expires_at < :before"
    " LIMIT :batch)",
    "DELETE FROM transition_dialogues WHERE id IN (SELECT id FROM transition_dialogues WHERE expires_at < :before"
    " LIMIT :batch)",
    "DELETE FROM buttons WHERE token_hash IN (SELECT token_hash FROM buttons WHERE expires_at < :before LIMIT :batch)",
)


def run(task: ClaimedTask, payload: CollectGarbage) -> Settlement:
    now = clock.now()
    for statement, kept_s in (
        (_FINISHED_TASKS, limits.finished_tasks_kept_s),
        (_OLD_KEYS, limits.idempotency_key_kept_s),
        (_ENDED_SESSIONS, limits.finished_tasks_kept_s),
        (_OLD_NOTICE_DELIVERIES, notice_limits.notice_deliveries_kept_s),
        (_OLD_NOTICE_ANSWERS, notice_limits.notice_deliveries_kept_s),
        (_OLD_UNDOS, undo_limits.undo_kept_s),
        *((statement, 0.0) for statement in _EXPIRED),
    ):
        while _delete(statement, before=now - timedelta(seconds=kept_s)) == limits.collect_batch_max:
            pass
    _all_of(drafts.collect)
    while webhook_deliveries.collect(batch_max=limits.collect_batch_max) >= limits.collect_batch_max:
        pass
    purging.purge_due()
    with database.transaction():
        bulk.collect(batch_max=limits.collect_batch_max)
    with database.transaction():
        imports.collect(batch_max=limits.collect_batch_max)
    with database.transaction():
        rates.collect(older_than_s=limits.idempotency_key_kept_s, batch_max=limits.collect_batch_max)
    with database.transaction():
        before = now - timedelta(seconds=read_mark_limits.read_marks_kept_s)
        read_marks.forget_old(before=before, batch_max=limits.collect_batch_max)
    with database.transaction():
        planning.wake_late()
    with database.transaction():
        presence.collect()
    try:
        # Last, because it waits for the blob store.
        _collect_files()
    except BlobStoreAway as error:
        return Postponed(limits.blob_away_wait_s, error.message)
    return Done()


def _collect_files() -> None:
    batch, ends_at = limits.collect_blobs_batch_max, time.monotonic() + limits.collect_blobs_s
    while time.monotonic() < ends_at:
        with database.transaction():
            uploads = collecting.collect_uploads(batch_max=batch)
        if max(uploads, blobs.collect(batch_max=batch)) < batch:
            return


def _all_of(collect: Collect) -> None:
    """Collect in batches, each in its transaction, until a batch is not full."""
    collected = limits.collect_batch_max
    while collected >= limits.collect_batch_max:
        with database.transaction():
            collected = collect(batch_max=limits.collect_batch_max)


def _delete(statement: str, **values: object) -> int:
    with database.transaction():
        return int(database.execute(statement, values, batch=limits.collect_batch_max).rowcount)


ACTOR = Actor(run)
