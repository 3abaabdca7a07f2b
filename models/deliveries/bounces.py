"""A mail of ours came back: its delivery has failed after all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import threading
from models.deliveries import commands
from models.events.commands import SYSTEM
from models.kernel import database
from models.kernel.batch import from_json
from models.kernel.errors import TransientFailure
from models.ports.inbound import DeliveryFailure
from models.requesters import commands as requesters
from models.requesters.commands import normalise_address
from models.tickets.ticket_change import TicketChange

# RFC 3463 5.1.x: the recipient's address is wrong for good. 5.1.7 and 5.1.8 are about the sender's, so about ours.
_WRONG_ADDRESS = re.compile(r"5\.1\.(?!7$|8$)\d+")


def record(
    account: ChannelAccount, references: Sequence[str], failure: DeliveryFailure, *, recipient: str = ""
) -> UUID | None:
    """Let the delivery of the first referred message that we sent fail; returns its ticket, None when we sent none of them.

    Only ids of our own count: their random part shows that who reports has had the mail, whoever that is (it comes from a mailer, who
    takes part in no ticket). A repeat changes nothing. `recipient`: whom the report names; if it is only the reader of a copy, the
    delivery stands, and the history tells. Joins the caller's transaction.
    """
    row = _delivery_of(account, references)
    if row is None:
        return None
    delivery_id = UUID(str(row["id"]))
    held = database.one("SELECT state FROM deliveries WHERE id = :id FOR_UPDATE", id=delivery_id)
    if held is not None and held["state"] == "sending":
        # The bounce overtook the record of the attempt, which would write "sent" over it.
        raise TransientFailure("the mail that came back is still being sent")
    if is_copys_reader(row, recipient):
        tell_of_copy(row, recipient, " ".join(part for part in (failure.status, failure.diagnostic) if part))
        return UUID(str(row["ticket_id"]))
    if held is not None and held["state"] in ("sent", "unknown", "pending"):
        said = " ".join(part for part in (failure.status, failure.diagnostic) if part)
        commands.end(delivery_id, "failed", error=f"bounced: {said}" if said else "bounced")
        if failure.status is not None and _WRONG_ADDRESS.fullmatch(failure.status):
            requesters.suppress(account.channel, row["address"], f"bounced: {said}")
    return UUID(str(row["ticket_id"]))


def _delivery_of(account: ChannelAccount, references: Sequence[str]) -> database.Row | None:
    wanted = list(dict.fromkeys(references))[: threading.references_max]
    places, values = database.in_list("id", wanted)
    rows = database.run(
        "SELECT r.external_id, d.id, d.ticket_id, d.channel, d.address, m.copies FROM message_references AS r"
        " JOIN messages AS m ON m.id = r.message_id AND m.external_id = r.external_id AND m.direction = 'outbound'"
        " JOIN deliveries AS d ON d.message_id = m.id"
        f" WHERE r.channel = :channel AND r.account = :account AND r.external_id IN {places}",
        values,
        channel=account.channel,
        account=account.name,
    )
    by_id = {row["external_id"]: row for row in rows}
    return next((by_id[reference] for reference in wanted if reference in by_id), None)


def is_copys_reader(row: database.Row, recipient: str) -> bool:
    """Whether a report is about the reader of a copy, not about the requester. `row`: the delivery with its message's copies."""
    channel = row["channel"]
    named = normalise_address(channel, recipient)
    if not named or named == normalise_address(channel, row["address"]):
        return False
    return any(normalise_address(channel, one["address"]) == named for one in from_json(row["copies"]))


def tell_of_copy(row: database.Row, recipient: str, said: str) -> None:
    """A reader of a copy did not get it: seen in the history; the requester did. Joins the caller's transaction."""
    change = TicketChange.of(UUID(str(row["ticket_id"])), actor=SYSTEM, causation_id=f"delivery:{row['id']}")
    change.record("copy_not_delivered", {"delivery_id": row["id"], "recipient": recipient, "error": said})
    change.save(visible=False)
