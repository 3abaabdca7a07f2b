"""Decide when a notice leaves by each way, and hand due notices over. Commands join the caller's transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from models.desk_mail import commands as desk_mail
from models.identity import queries as identity
from models.identity.queries import User
from models.kernel import clock, limits
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.table import first, for_update
from models.notice_settings import commands as notice_settings
from models.notice_settings import rules
from models.notice_settings.rules import Digest, NoticeSettings, Way
from models.notices import limits as notice_limits
from models.notices.tables import Notice, NoticeDelivery
from models.tasks import commands as tasks
from models.tasks.payloads import HandOverNotices, SendChatNotices

MAIL_KIND: Final = "notice"


def plan(notice_id: UUID) -> None:
    """Write a delivery for each way that the user chose for the notice's kind. A repetition changes nothing."""
    row = first(Notice.select(Notice.user_id, Notice.kind).where(Notice.id == notice_id))
    if row is None:
        return
    user_id: UUID = row["user_id"]
    if not identity.get_user(user_id).active:
        return
    settings = notice_settings.of_user(user_id)
    for way in sorted(settings.ways[row["kind"]]):
        _lock(user_id, way)
        now = clock.now()
        due_at = rules.due_at(settings, way, now)
        made = NoticeDelivery.insert(
            id=new_id(),
            notice_id=notice_id,
            user_id=user_id,
            way=way,
            state="waiting",
            due_at=due_at,
            created_at=now,
        )
        made.on_conflict_ignore().execute()
        _continue(user_id, way, due_at, now)


def _lock(user_id: UUID, way: Way) -> None:
    """Serialise the planning and the handing over of a user's notices by one way.

    So a notice that is planned for a digest is committed before the digest collects.
    """
    advisory_lock(f"notices:{user_id}:{way}")


def _continue(user_id: UUID, way: Way, due_at: datetime, now: datetime) -> None:
    """Hand the user's notices over if they are due, else wake a worker when they are."""
    if due_at <= now:
        hand_over(user_id, way)
        return
    tasks.enqueue(
        HandOverNotices(user_id=user_id, way=str(way)),
        due_at=due_at,
        dedupe_key=f"notices:{user_id}:{way}:{due_at.isoformat()}",
    )


def hand_over(user_id: UUID, way: Way) -> None:
    """Hand the due notices of a user over: one mail or chat message for a digest, else one for each notice.

    The settings count as they are now: a way that the user left is not used, and quiet hours that the user set
    meanwhile hold the notices.
    """
    _lock(user_id, way)
    now = clock.now()
    due = _due(user_id, way, now)
    if not due:
        return
    user, settings = identity.get_user(user_id), notice_settings.of_user(user_id)
    if not user.active:
        _withhold([row["id"] for row in due], "the user is not active")
        return
    quiet_until = rules.after_quiet(settings, now)
    if quiet_until > now:
        _move([row["id"] for row in due], quiet_until)
        _continue(user_id, way, quiet_until, now)
        return
    wanted = [row["id"] for row in due if way in settings.ways[row["kind"]]]
    _withhold([row["id"] for row in due if row["id"] not in wanted], "the user chose another way since")
    as_one = settings.digest[way] is not Digest.none
    for batch in [wanted] if as_one and wanted else [[one] for one in wanted]:
        _hand_over_batch(user, way, batch, now)
    if len(due) == notice_limits.notices_in_batch_max:
        hand_over(user_id, way)


def _due(user_id: UUID, way: Way, now: datetime) -> list[database.Row]:
    query = (
        NoticeDelivery.select(NoticeDelivery.id, Notice.kind)
        .join(Notice, on=Notice.id == NoticeDelivery.notice_id)
        .where(
            NoticeDelivery.user_id == user_id,
            NoticeDelivery.way == way,
            NoticeDelivery.state == "waiting",
            NoticeDelivery.due_at <= now,
        )
    )
    return database.rows(query.order_by(NoticeDelivery.id).limit(notice_limits.notices_in_batch_max))


def _hand_over_batch(user: User, way: Way, ids: list[UUID], now: datetime) -> None:
    batch_id = new_id()
    handed_over = NoticeDelivery.update(state="handed_over", batch_id=batch_id)
    handed_over.where(NoticeDelivery.id.in_(ids), NoticeDelivery.state == "waiting").execute()
    if way is Way.chat:
        tasks.enqueue(SendChatNotices(batch_id=batch_id, user_id=user.id), key=f"notices:{user.id}:{way}")
        return
    mail_id = desk_mail.send(
        MAIL_KIND, address=user.email, name=user.name, locale=user.locale, user_id=user.id, mail_id=batch_id
    )
    if mail_id is None:
        _withhold(ids, "no e-mail account has `system: true`")


def _withhold(ids: list[UUID], reason: str) -> None:
    if ids:
        ended = NoticeDelivery.update(state="withheld", error=reason, finished_at=clock.now())
        ended.where(NoticeDelivery.id.in_(ids)).execute()


def _move(ids: list[UUID], due_at: datetime) -> None:
    NoticeDelivery.update(due_at=due_at).where(NoticeDelivery.id.in_(ids)).execute()


def store_settings(user_id: UUID, settings: NoticeSettings) -> None:
    """Store the settings of a user, and move the notices that wait to the new times. Raises Invalid."""
    notice_settings.store(user_id, settings)
    for way in Way:
        _lock(user_id, way)
        waiting = NoticeDelivery.select(NoticeDelivery.id).where(
            NoticeDelivery.user_id == user_id, NoticeDelivery.way == way, NoticeDelivery.state == "waiting"
        )
        ids = [row["id"] for row in database.rows(for_update(waiting))]
        if ids:
            now = clock.now()
            due_at = rules.due_at(settings, way, now)
            _move(ids, due_at)
            _continue(user_id, way, due_at, now)


def wake_late() -> int:
    """Hand over notices that are overdue, because their task died or was never made. Returns the number of ways."""
    before = clock.now() - timedelta(seconds=notice_limits.notice_late_s)
    late = NoticeDelivery.select(NoticeDelivery.user_id, NoticeDelivery.way).where(
        NoticeDelivery.state == "waiting", NoticeDelivery.due_at < before
    )
    found = database.rows(late.distinct().limit(limits.collect_batch_max))
    for row in found:
        tasks.enqueue(HandOverNotices(user_id=row["user_id"], way=str(row["way"])))
    return len(found)
