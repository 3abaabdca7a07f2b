"""The actor that calls the address in a life cycle's effect: signed, retried with backoff, never into our own network
unless allowed.
"""

from __future__ import annotations

from functools import partial

from models.events import queries as events
from models.events import signing
from models.kernel import clock, settings
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.publishing import workflows
from models.tasks import task_leases
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import AdvanceTicket, CallWebhook
from models.ticket_actions import commands as tickets
from models.ticket_workflow import failures
from models.ticket_workflow.acts import webhook_calls
from models.tickets import queries
from queues.actor import Actor
from queues.outside import safe_http
from queues.settlement import Done, Failed, Settlement

log = logs.get("webhook")


def run(task: ClaimedTask, payload: CallWebhook) -> Settlement:
    """Make one attempt. 2xx: done; 429 and 5xx: retried; another status: failed without a retry.

    Raises ConfigurationError when the secret is missing: the task waits for the operator.
    """
    with database.connection():
        event = events.get(payload.event_id)
        ticket = queries.find(str(payload.ticket_id))
    called = event["payload"]
    definition = workflows.of_version(called["workflow"], called["workflow_version"]).definition
    webhook = definition.webhooks[called["webhook"]]
    secret = settings.current().secret(webhook.secret.secret)
    content = webhook_calls.body(ticket, event)
    told = signing.headers(str(event["event_id"]), clock.now(), content, signing.operator_keys(secret))
    private = settings.current().webhooks_private
    if task.attempts > 1:
        task_leases.confirm(task)
    try:
        answer = safe_http.call("POST", webhook.url, headers=told, body=content, private=private)
    except safe_http.AddressRefused as error:
        return Failed(error.message, permanent=True)
    except (safe_http.NotReached, safe_http.NoAnswer) as error:
        return Failed(f"{called['webhook']}: {error.message}")
    log.info("webhook_called", webhook=called["webhook"], status=answer.status)
    if 200 <= answer.status < 300:
        return Done(late=partial(task_leases.finish_late, task))
    again = answer.status == 429 or answer.status >= 500
    return Failed(
        f"{called['webhook']} answered {answer.status}",
        permanent=not again,
        retry_after_s=answer.retry_after_s(),
    )


def on_dead(task: ClaimedTask, payload: CallWebhook, reason: str) -> None:
    """Record the failure in the history, and send `webhook_failed` to the life cycle."""
    failures.record_automation_failure(payload.ticket_id, event="webhook_called", task_id=task.id, reason=reason)
    tickets.advance(AdvanceTicket(ticket_id=payload.ticket_id, event="webhook_failed"), causation_id=f"task:{task.id}")


ACTOR = Actor(run, on_dead)
