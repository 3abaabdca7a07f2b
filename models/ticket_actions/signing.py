"""The signature of an agent's reply by mail."""

from __future__ import annotations

from typing import TypedDict

from models.kernel.telemetry import logs
from models.signatures import commands as signatures
from models.ticket_workflow import agent_texts
from models.tickets.ticket_change import TicketChange

log = logs.get("signing")


class RenderedSignature(TypedDict):
    """The signature as a message keeps it in its details."""

    text: str
    format: str
    owner_kind: str


def signature_of(change: TicketChange) -> RenderedSignature | None:
    """Render the signature for a reply of the change's actor, a user; None without one.

    A signature that does not fit the ticket's values is left out: it must not hold the reply.
    """
    actor = change.actor
    row = signatures.for_reply(actor.id if actor.kind == "user" else None, change.ticket.team)
    if row is None:
        return None
    try:
        # The requester reads it, so it shows what the requester may see.
        made = agent_texts.render_in(change, row["texts"], None, role="requester")
    except agent_texts.TextNotRendered:
        log.warning("signature_left_out", ticket=change.ticket.number)
        return None
    if not made.text.strip():
        return None
    return {"text": made.text.strip(), "format": row["body_format"], "owner_kind": row["owner_kind"]}
