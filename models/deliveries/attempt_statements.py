"""The prepared statements of every send: they run once or twice for each delivery."""

from __future__ import annotations

from models.kernel.storage.prepared import Prepared

HELD = Prepared("SELECT state, attempts, address FROM deliveries WHERE id = :id FOR_UPDATE")
SENDING = Prepared("UPDATE deliveries SET state = 'sending', attempts = :number WHERE id = :id")
_OF_IDS = (
    "external_id = :external_id, external_ids = :external_ids, provider_id = :provider_id WHERE id = :id"
    " RETURNING message_id, ticket_id, operation"
)
IDS = Prepared(f"UPDATE deliveries SET {_OF_IDS}")
_IS_SENT = "state <> 'failed' OR receipt IS NULL OR receipt NOT IN ('failed', 'bounced')"
SENT_WITH_IDS = Prepared(
    f"UPDATE deliveries SET state = CASE WHEN {_IS_SENT} THEN 'sent' ELSE state END,"
    f" last_error = CASE WHEN {_IS_SENT} THEN NULL ELSE last_error END,"
    f" finished_at = CASE WHEN {_IS_SENT} THEN :now ELSE finished_at END, {_OF_IDS}"
)
WHOLE = Prepared(
    "SELECT d.*, m.body, m.body_format, m.subject, m.external_id AS message_external_id, m.copies,"
    " m.details, m.author_name, m.deleted_at, t.number, t.reply_token, t.requester_id, r.name AS"
    " requester_name, r.locale, i.suppressed_reason FROM deliveries AS d JOIN messages AS m ON m.id ="
    " d.message_id JOIN tickets AS t ON t.id = d.ticket_id LEFT JOIN requesters AS r ON r.id ="
    " t.requester_id LEFT JOIN identities AS i ON i.channel = d.channel AND i.address = d.address WHERE d.id"
    " = :id"
)
