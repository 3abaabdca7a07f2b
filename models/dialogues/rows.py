"""The rows of dialogues: find them, and end them. The events of a chat are processed in order, so nothing is locked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.dialogues.tables import TransitionDialogue
from models.kernel import clock
from models.kernel.storage import database

# Ids of answers that are kept; a transition asks for a few fields, and each may be answered wrongly some times.
answers_max = 50


def of_person(account: ChannelAccount, address: str, author_address: str) -> TransitionDialogue | None:
    """Return the person's dialogue in the chat, also an ended one."""
    where = (TransitionDialogue.address == address) & (TransitionDialogue.author_address == author_address)
    return _find(account, where)


def by_id(account: ChannelAccount, dialogue_id: UUID) -> TransitionDialogue | None:
    return _find(account, TransitionDialogue.id == dialogue_id)


def is_open(dialogue: TransitionDialogue) -> bool:
    """Return True if a question waits for its answer."""
    return bool(dialogue.asked) and dialogue.expires_at > clock.now()


def end(dialogue: TransitionDialogue) -> None:
    """End the dialogue. Its row stays until it expires, without the values; it recognises an edit of an answer."""
    given = {**dialogue.given, "fields": {}, "comment": "", "picked": []}
    changed = TransitionDialogue.update(asked="", given=given)
    changed.where(TransitionDialogue.id == dialogue.id).execute()


def replace(earlier: TransitionDialogue | None, dialogue: TransitionDialogue) -> None:
    """Store a new dialogue in the place of the person's earlier one."""
    if earlier is not None:
        TransitionDialogue.delete().where(TransitionDialogue.id == earlier.id).execute()
    TransitionDialogue.insert(dialogue.row()).execute()


def _find(account: ChannelAccount, condition: Any) -> TransitionDialogue | None:
    ours = (TransitionDialogue.channel == account.channel) & (TransitionDialogue.account == account.name)
    rows = database.rows(TransitionDialogue.select().where(condition & ours))
    return TransitionDialogue.from_row(rows[0]) if rows else None
