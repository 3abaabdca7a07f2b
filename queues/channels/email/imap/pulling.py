"""Read a mailbox: what is new is stored, mail by mail, and marked as seen after the commit.

The position of a folder: `uidvalidity`; `uid`, the last mail that was read; `marked`, the last one known to be marked
as seen; `began`, the day of the first reading; `backlog`, the last mail that was there before we knew the folder (or
its new UIDVALIDITY): up to it only what nobody has seen, or what came since `began`, is read. Without that, the first
reading of an old mailbox, or of one that was moved to another server, would make a ticket of each of its mails.

A mail that the server will not give (it says no, or ends the connection, as Dovecot does at a damaged one) is tried
some times, over connections and processes, then shown as failed, so that the next ones are read.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from models.channels import health, positions
from models.channels.accounts import ChannelAccount
from models.kernel import clock, limits, logs
from models.kernel.errors import TransientFailure
from models.kernel.settings import Settings
from models.ports.inbound import EventKey, ReceivedEvent
from queues.channels.email.imap import limits as bounds
from queues.channels.email.imap.mailbox import Folder, Mailbox, Refused, server_of
from queues.channels.email.mail_key import mail_key
from queues.pulling import events as pulled_events

log = logs.get("imap")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one reading found: mails stored, repeats of known ones, and those that could only be kept as failed."""

    stored: int = 0
    repeats: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    uidvalidity: int
    uid: int
    marked: int
    began: str
    backlog: int
    first: bool = False  # the backlog of the first reading: only what nobody has seen
    trying: int = 0  # the mail that could not be fetched,
    tries: int = 0  # and how often
    unsized: int = 0  # up to this mail no sizes are asked for: the server failed at one of them

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def pull(account: ChannelAccount, settings: Settings, stop: threading.Event, idle_s: float) -> None:
    """Read, wait for the server's word, read again, until `stop` is set; `idle_s` 0: read once."""
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
    position = _mark(mailbox, account, name, position)  # what a killed process stored and could not mark
    pulled = Pulled()
    uids = _new_uids(mailbox, position)
    for at in range(0, len(uids), bounds.batch_max):
        batch = uids[at : at + bounds.batch_max]
        position, sizes = _sizes(mailbox, account, name, position, batch)
        for uid in batch:
            if stop.is_set():
                break
            if uid in sizes:  # else it was moved or deleted meanwhile
                position, pulled = _read_one(mailbox, account, name, position, uid, sizes[uid], pulled)
        position = _mark(mailbox, account, name, position)
        if stop.is_set():
            return pulled
    if position.uid < position.backlog:  # nothing more to be had of what was there before us
        position = replace(position, uid=position.backlog, marked=position.backlog)
        _keep(account, name, position)
    health.report_well(account.channel, account.name, {"folder": name, "messages": folder.messages})
    return pulled


def _where(account: ChannelAccount, name: str, folder: Folder) -> Position:
    """The stored position, or one that begins anew: at the first reading, or when the folder's UIDs mean other mails now."""
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
    # SINCE is a day of the server's own time zone, which we do not know.
    since = None if position.first else date.fromisoformat(position.began) - timedelta(days=1)
    backlog = [uid for uid in mailbox.unanswered_uids(position.uid, since) if uid <= position.backlog]
    return backlog + mailbox.uids_after(position.backlog)


def _sizes(
    mailbox: Mailbox, account: ChannelAccount, name: str, position: Position, batch: list[int]
) -> tuple[Position, dict[int, int]]:
    """Bytes of each mail; 0 where one mail of the batch keeps the server from telling: then each is fetched without."""
    unknown = dict.fromkeys(batch, 0)
    if batch[0] <= position.unsized:
        return position, unknown
    failed = replace(position, unsized=batch[-1])
    try:
        return position, mailbox.sizes(batch)
    except Refused:
        return failed, unknown
    except TransientFailure:  # perhaps the connection's fault, perhaps a mail's: the next reading does without
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
        told = f"the mail server would not give this mail: {error.message}"
        raw, key = b"", _unreadable(position, uid, told)
    else:
        if raw is None:
            return position, pulled
        key = mail_key(raw, {"folder": name})
        if size > bounds.mail_bytes_max or len(raw) > bounds.mail_bytes_max:
            size = max(size, len(raw))
            raw = raw[: bounds.cut_bytes]
            told = f"the mail has {size / limits.MIB:.0f} MiB, more than {bounds.mail_bytes_max / limits.MIB:.0f}; its beginning is kept"
            key = _unreadable(position, uid, told)
    after = replace(position, uid=uid, trying=0, tries=0)
    new = _keep(account, name, after, ReceivedEvent(key, raw))
    if lost is not None:  # a new connection reads on
        raise lost
    return after, Pulled(
        pulled.stored + (new and key.unreadable is None),
        pulled.repeats + (not new),
        pulled.failed + (new and key.unreadable is not None),
    )


def _unreadable(position: Position, uid: int, reason: str) -> EventKey:
    """The name of a mail that we do not have whole: its place in the mailbox."""
    return EventKey(f"imap:{position.uidvalidity}:{uid}", None, unreadable=reason)


def _mark(mailbox: Mailbox, account: ChannelAccount, name: str, position: Position) -> Position:
    """Mark as seen what was stored since the last time. A folder that may only be read is read all the same."""
    if position.marked >= position.uid:
        return position
    uids = mailbox.unseen_uids(position.marked, position.uid)
    try:
        if uids:
            mailbox.mark_seen(uids)
    except Refused as error:
        log.warning("mails_not_marked_seen", account=account.name, error=error.code)
    marked = replace(position, marked=position.uid)
    _keep(account, name, marked)
    return marked


def _keep(account: ChannelAccount, name: str, position: Position, *events: ReceivedEvent) -> bool:
    """Keep the position with what was read up to it; whether that was new."""
    new = pulled_events.store(
        account, events, content_type="message/rfc822", position=position.as_json(), position_name=name
    )
    return new > 0
