"""Read a mailbox: store each new mail, and mark it as seen after the commit.

A folder's position holds `uidvalidity`; `uid`, the last mail that was read; `marked`, the last mail known to be marked
as seen; `began`, the day of the first reading; `backlog`, the last mail that existed at the first reading or at a
change of UIDVALIDITY. Up to the backlog only mails are read that nobody has seen or that arrived since `began`.
Otherwise the first reading of an old or moved mailbox would make a ticket of each of its mails.

A mail that the server does not send (it refuses, or ends the connection, as Dovecot does at a damaged mail) is tried
some times, over connections and processes. It is then stored as failed, so that the next mails are read.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta

from models.channels import health, positions
from models.channels.accounts import ChannelAccount
from models.kernel import clock, limits
from models.kernel.errors import TransientFailure
from models.kernel.open_json import JsonObject
from models.kernel.settings import Settings
from models.kernel.telemetry import logs, metrics
from models.ports.inbound import EventKey, ReceivedEvent
from queues.channels.email.imap import limits as bounds
from queues.channels.email.imap.flags import SKIP_REASONS, reason_to_skip
from queues.channels.email.imap.mailbox import Folder, Mailbox, Refused, server_of
from queues.channels.email.mail_key import mail_key
from queues.pulling import events as pulled_events

log = logs.get("imap")


@dataclass(frozen=True, slots=True)
class Pulled:
    """The counts of one reading: mails stored, repeats of known mails, mails stored as failed, and mails that were
    skipped because of their flags.
    """

    stored: int = 0
    repeats: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """The stored position in a folder; see the module's description."""

    uidvalidity: int
    uid: int
    marked: int
    began: str
    backlog: int
    # The backlog is that of the first reading: only unseen mails are read.
    first: bool = False
    # The mail that could not be fetched, and the number of tries.
    trying: int = 0
    tries: int = 0
    # Up to this mail no sizes are fetched, because the server failed at one of them.
    unsized: int = 0

    def as_json(self) -> JsonObject:
        return {name: getattr(self, name) for name in self.__slots__}


def pull(account: ChannelAccount, settings: Settings, stop: threading.Event, idle_s: float) -> None:
    """Read, wait for new mail, read again, until `stop` is set; with `idle_s` 0 read once."""
    with Mailbox(server_of(account, settings)) as mailbox:
        while True:
            read(mailbox, account, stop)
            if idle_s <= 0 or stop.is_set():
                return
            mailbox.wait(stop, min(idle_s, bounds.round_s), idle=account.config.get("imap_idle", True) is True)
            if stop.is_set():
                return


def read(mailbox: Mailbox, account: ChannelAccount, stop: threading.Event) -> Pulled:
    """Store every new mail of the account's folder, oldest first."""
    name = str(account.config.get("imap_folder") or "INBOX")
    folder = mailbox.select(name)
    position = _where(account, name, folder)
    # A killed process may have stored mails without marking them.
    position = _mark(mailbox, account, name, position)
    pulled = Pulled()
    uids = _new_uids(mailbox, position)
    for at in range(0, len(uids), bounds.batch_max):
        batch = uids[at : at + bounds.batch_max]
        skipped = _skipped(mailbox, account, batch)
        wanted = [uid for uid in batch if uid not in skipped]
        position, sizes = _sizes(mailbox, account, name, position, wanted) if wanted else (position, {})
        for uid in wanted:
            if stop.is_set():
                break
            # A mail without size was moved or deleted meanwhile.
            if uid in sizes:
                position, pulled = _read_one(mailbox, account, name, position, uid, sizes[uid], pulled)
        if not stop.is_set():
            position, pulled = _pass_skipped(account, name, position, skipped, pulled)
        position = _mark(mailbox, account, name, position)
        if stop.is_set():
            return pulled
    if position.uid < position.backlog:
        # The backlog is read.
        position = replace(position, uid=position.backlog, marked=position.backlog)
        _keep(account, name, position)
    health.report_well(account.channel, account.name, {"folder": name, "messages": folder.messages})
    return pulled


def _where(account: ChannelAccount, name: str, folder: Folder) -> Position:
    """Return the stored position, or a new one at the first reading and after a change of UIDVALIDITY."""
    stored = positions.get(account, name)
    known = None if stored is None else Position(**stored)
    if known is not None and known.uidvalidity == folder.uidvalidity:
        return known
    if known is not None:
        log.warning("mailbox_renumbered", account=account.name)
    position = Position(
        folder.uidvalidity,
        uid=0,
        marked=0,
        began=clock.now().date().isoformat() if known is None else known.began,
        backlog=folder.next_uid - 1,
        first=known is None,
    )
    _keep(account, name, position)
    return position


def _new_uids(mailbox: Mailbox, position: Position) -> list[int]:
    if position.uid >= position.backlog:
        return mailbox.uids_after(position.uid)
    # SINCE is a day in the server's time zone, which is unknown.
    since = None if position.first else date.fromisoformat(position.began) - timedelta(days=1)
    backlog = [uid for uid in mailbox.unanswered_uids(position.uid, since) if uid <= position.backlog]
    return backlog + mailbox.uids_after(position.backlog)


def _skipped(mailbox: Mailbox, account: ChannelAccount, batch: list[int]) -> dict[int, str]:
    """Return the mails of the batch that are not read because of their flags, with the reason.

    A server that cannot tell the flags gives no reason to skip a mail.
    """
    try:
        found = mailbox.flags(batch)
    except Refused as error:
        log.warning("mail_flags_refused", account=account.name, error=error.code)
        return {}
    reasons = ((uid, reason_to_skip(flags, account)) for uid, flags in found.items() if uid in batch)
    return {uid: reason for uid, reason in reasons if reason is not None}


def _pass_skipped(
    account: ChannelAccount, name: str, position: Position, skipped: dict[int, str], pulled: Pulled
) -> tuple[Position, Pulled]:
    """Move the position behind the skipped mails, and count and log them."""
    if not skipped:
        return position, pulled
    if max(skipped) > position.uid:
        position = replace(position, uid=max(skipped))
        _keep(account, name, position)
    reasons = Counter(skipped.values())
    metrics.inbox_events.labels(account.channel, "skipped").inc(len(skipped))
    log.info("mails_skipped", account=account.name, **{reason: reasons[reason] for reason in SKIP_REASONS})
    return position, replace(pulled, skipped=pulled.skipped + len(skipped))


def _sizes(
    mailbox: Mailbox, account: ChannelAccount, name: str, position: Position, batch: list[int]
) -> tuple[Position, dict[int, int]]:
    """Return the size of each mail; 0 for all when the server fails at one mail of the batch."""
    unknown = dict.fromkeys(batch, 0)
    if batch[0] <= position.unsized:
        return position, unknown
    failed = replace(position, unsized=batch[-1])
    try:
        return position, mailbox.sizes(batch)
    except Refused:
        return failed, unknown
    except TransientFailure:
        # The connection or a mail may be the cause: the next reading does not fetch these sizes.
        _keep(account, name, failed)
        raise


def _read_one(
    mailbox: Mailbox,
    account: ChannelAccount,
    name: str,
    position: Position,
    uid: int,
    size: int,
    pulled: Pulled,
) -> tuple[Position, Pulled]:
    """Fetch and store one mail, or store it as failed after the last try."""
    wanted = bounds.mail_bytes_max + 1 if size <= bounds.mail_bytes_max else bounds.cut_bytes
    tries = 1 + (position.tries if position.trying == uid else 0)
    lost: TransientFailure | None = None
    try:
        raw = mailbox.fetch(uid, wanted)
    except TransientFailure as error:
        refused = isinstance(error, Refused)
        if tries < (bounds.tries_max if refused else bounds.lost_tries_max):
            _keep(account, name, replace(position, trying=uid, tries=tries))
            raise
        lost = None if refused else error
        event = ReceivedEvent(
            _unreadable(position, uid, f"the mail server would not give this mail: {error.message}"), b""
        )
    else:
        if raw is None:
            return position, pulled
        event = _event(position, name, uid, size, raw)
    after = replace(position, uid=uid, trying=0, tries=0)
    new = _keep(account, name, after, event)
    if lost is not None:
        # The next reading continues over a new connection.
        raise lost
    return after, Pulled(
        pulled.stored + (new and event.key.unreadable is None),
        pulled.repeats + (not new),
        pulled.failed + (new and event.key.unreadable is not None),
    )


def _event(position: Position, name: str, uid: int, size: int, raw: bytes) -> ReceivedEvent:
    """Return the event of a fetched mail; a mail above the bound is stored as failed with its beginning."""
    size = max(size, len(raw))
    if size <= bounds.mail_bytes_max:
        return ReceivedEvent(mail_key(raw, {"folder": name}), raw)
    reason = (
        f"the mail has {size / limits.MIB:.0f} MiB, more than {bounds.mail_bytes_max / limits.MIB:.0f};"
        " its beginning is kept"
    )
    return ReceivedEvent(_unreadable(position, uid, reason), raw[: bounds.cut_bytes])


def _unreadable(position: Position, uid: int, reason: str) -> EventKey:
    """Return the key of a mail that was not read whole: its place in the mailbox."""
    return EventKey(f"imap:{position.uidvalidity}:{uid}", None, unreadable=reason)


def _mark(mailbox: Mailbox, account: ChannelAccount, name: str, position: Position) -> Position:
    """Mark the mails stored since the last call as seen, without the skipped ones. A read-only folder is read without
    marks.
    """
    if position.marked >= position.uid:
        return position
    unseen = mailbox.unseen_uids(position.marked, position.uid)
    skipped = _skipped(mailbox, account, unseen) if unseen else {}
    uids = [uid for uid in unseen if uid not in skipped]
    try:
        if uids:
            mailbox.mark_seen(uids)
    except Refused as error:
        log.warning("mails_not_marked_seen", account=account.name, error=error.code)
    marked = replace(position, marked=position.uid)
    _keep(account, name, marked)
    return marked


def _keep(account: ChannelAccount, name: str, position: Position, *events: ReceivedEvent) -> bool:
    """Store the position with the events up to it; True if an event was new."""
    new = pulled_events.store(
        account, events, content_type="message/rfc822", position=position.as_json(), position_name=name
    )
    return new > 0
