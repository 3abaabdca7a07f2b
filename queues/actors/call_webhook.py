"""Call the address that a life cycle's effect names: signed, retried with backoff, never into our own network unless allowed."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit
from uuid import UUID

import requests

from models.events import queries as events
from models.kernel import clock, database, limits, logs, settings
from models.kernel.errors import ConfigurationError
from models.tasks.commands import ClaimedTask
from models.tickets import commands as tickets
from models.tickets import failures, queries
from models.workflow import published, webhooks
from models.workflow.definition import Webhook
from queues.settlement import Done, Failed, Settlement

log = logs.get("webhook")


def run(task: ClaimedTask) -> Settlement:
    """One attempt. 2xx: done; 429 and 5xx: again; another 4xx: given up at once."""
    with database.connection():
        event = events.get(UUID(task.payload["event_id"]))
        ticket = queries.find(task.payload["ticket_id"])
    payload = event["payload"]
    definition = published.of_version(payload["workflow"], payload["workflow_version"]).definition
    webhook = definition.webhooks[payload["webhook"]]
    try:
        secret = settings.current().secret(webhook.secret.secret)
    except ConfigurationError as error:
        return Failed(str(error))  # an operator can mend it; the next attempt looks again
    if (refusal := _refused(webhook)) is not None:
        return Failed(refusal, permanent=True)
    content = webhooks.body(ticket, event)
    told = webhooks.headers(str(event["event_id"]), clock.now(), content, secret)
    try:
        answer = requests.post(
            webhook.url, data=content, headers=told, allow_redirects=False,
            timeout=(limits.send_connect_timeout_s, limits.send_read_timeout_s),
        )  # fmt: skip
    except requests.RequestException as error:
        return Failed(f"{payload['webhook']} cannot be reached: {type(error).__name__}")
    log.info("webhook_called", webhook=payload["webhook"], status=answer.status_code)
    if 200 <= answer.status_code < 300:
        return Done()
    again = answer.status_code == 429 or answer.status_code >= 500
    return Failed(f"{payload['webhook']} answered {answer.status_code}", permanent=not again)


def _refused(webhook: Webhook) -> str | None:
    """Why the address must not be called, or None. Looked up before each call, because names change their addresses."""
    if settings.current().webhooks_private:
        return None
    parts = urlsplit(webhook.url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError:
        return None  # the call itself will say that there is no such name, and is tried again
    private = [info[4][0] for info in found if not webhooks.is_public(str(info[4][0]))]
    if private:
        return f"{parts.hostname} is an address of a private network; WEBHOOKS_PRIVATE=true allows those"
    return None


def on_dead(task: ClaimedTask, reason: str) -> None:
    """Given up: the history says so, and the life cycle hears `webhook_failed`."""
    ticket_id = UUID(task.payload["ticket_id"])
    failures.record_automation_failure(ticket_id, event="webhook_called", task_id=task.id, reason=reason)
    tickets.advance(ticket_id, {"event": "webhook_failed"}, causation_id=f"task:{task.id}")
