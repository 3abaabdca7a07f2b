"""The catalogue names what the desk records, so that everything can be subscribed to by its name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from models.events import answering_payloads as answering
from models.events import desk_payloads as desk
from models.events import payload, workflow_payloads
from models.events import ticket_payloads as ticket
from models.events.catalogue import EVENT_TYPES, VERSION, description
from models.kernel.storage.batch import as_json
from tests.models.events import sorting_rows
from tests.models.events.people_bytes import PEOPLE


def test_every_declared_payload_can_be_subscribed_to_by_its_name() -> None:
    assert set(payload.EventPayload.__subclasses__()) == set(EVENT_TYPES.values())


def test_the_structs_promise_subscribers_what_was_published() -> None:
    """The descriptions and the properties that are always there are a public contract."""
    published = json.loads(Path(__file__).with_name("event_types.json").read_text(encoding="utf-8"))

    derived = {
        name: {"description": description(name), "properties": payload.properties(kind)}
        for name, kind in EVENT_TYPES.items()
    }

    assert derived == published
    assert {kind.version for kind in EVENT_TYPES.values()} == {VERSION}


SESSION = UUID("0193a1b2-0000-7000-8000-000000000001")
ID = str(SESSION)
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


# The JSON of stored payloads, as the desk wrote it when writers passed a name and a mapping; %s is the id above.
PAYLOADS: list[tuple[payload.EventPayload, str]] = [
    (
        desk.UserCreated(email="ada@example.test", name="Ada", role="agent", locale="en"),
        '{"email":"ada@example.test","name":"Ada","role":"agent","locale":"en"}',
    ),
    (
        desk.UserUpdated(changes={"name": {"from": "A", "to": "B"}}, password_changed=False, sessions_ended=2),
        '{"changes":{"name":{"from":"A","to":"B"}},"password_changed":false,"sessions_ended":2}',
    ),
    (desk.UserDeactivated(sessions_ended=1), '{"sessions_ended":1}'),
    (desk.SignedIn(session_id=SESSION, client="x"), f'{{"session_id":"{SESSION}","client":"x"}}'),
    (desk.SignedOut(session_id=SESSION, reason="expired"), f'{{"session_id":"{SESSION}","reason":"expired"}}'),
    (desk.SignInFailed(client="x"), '{"client":"x"}'),
    (desk.SecondFactorAdded(factor_id=SESSION, kind="totp"), '{"factor_id":"%s","kind":"totp"}'),
    (desk.SecondFactorRemoved(factor_id=SESSION, kind="passkey"), '{"factor_id":"%s","kind":"passkey"}'),
    (desk.OidcLinked(issuer="https://id.example.test"), '{"issuer":"https://id.example.test"}'),
    (desk.RecoveryCodesCreated(count=10), '{"count":10}'),
    (desk.RecoveryCodeUsed(left=9), '{"left":9}'),
    (
        desk.ApiKeyCreated(name="CI", role="machine", expires_at=AT),
        '{"name":"CI","role":"machine","expires_at":"2026-03-02T09:00:00+00:00"}',
    ),
    (
        desk.ApiKeyCreated(name="CI", role="machine", expires_at=None),
        '{"name":"CI","role":"machine","expires_at":null}',
    ),
    (
        desk.ApiKeyGiven(owner_id=SESSION, from_owner_id=None),
        f'{{"owner_id":"{SESSION}","from_owner_id":null}}',
    ),
    (desk.ApiKeyRevoked(), "{}"),
    (desk.SessionsEnded(sessions_ended=2), '{"sessions_ended":2}'),
    (desk.UserActivated(account_id=SESSION), f'{{"account_id":"{SESSION}"}}'),
    (desk.AccountOpened(owner_id=SESSION), f'{{"owner_id":"{SESSION}"}}'),
    (
        desk.RoleCreated(role="lead", based_on="agent", permissions=["tasks_read"]),
        '{"role":"lead","based_on":"agent","permissions":["tasks_read"]}',
    ),
    (
        desk.RoleUpdated(role="lead", changes={"based_on": {"from": "agent", "to": "manager"}}),
        '{"role":"lead","changes":{"based_on":{"from":"agent","to":"manager"}}}',
    ),
    (desk.RoleDeleted(role="lead"), '{"role":"lead"}'),
    (
        desk.ViewCreated(name="Urgent", scope="team", team="it"),
        '{"name":"Urgent","scope":"team","team":"it"}',
    ),
    (
        desk.ViewUpdated(changes={"sort": {"from": "title", "to": "-title"}}),
        '{"changes":{"sort":{"from":"title","to":"-title"}}}',
    ),
    (
        desk.ViewDeleted(changes={"name": {"from": "Urgent", "to": None}}),
        '{"changes":{"name":{"from":"Urgent","to":null}}}',
    ),
    (desk.WebhookCreated(event_types=["*"]), '{"event_types":["*"]}'),
    (desk.WebhookUpdated(changed=["url"]), '{"changed":["url"]}'),
    (desk.WebhookSwitchedOff(reason="410"), '{"reason":"410"}'),
    (desk.WebhookSwitchedOn(), "{}"),
    (desk.WebhookSecretRotated(), "{}"),
    (desk.WebhookDeleted(), "{}"),
    (desk.WebhookTested(), "{}"),
    (
        ticket.TicketCreated(
            title="Printer",
            type="question",
            priority="normal",
            fields={"room": 3},
            team=None,
            tags=["vip"],
            state="new",
            channel="api",
            account=None,
            requester_id=SESSION,
            workflow="support",
            workflow_version=2,
        ),
        '{"title":"Printer","type":"question","priority":"normal","fields":{"room":3},"team":null,"tags":["vip"],'
        '"state":"new","channel":"api","account":null,"requester_id":"%s","workflow":"support","workflow_version":2}',
    ),
    (
        ticket.TicketUpdated(changes={"team": {"from": None, "to": "it"}}),
        '{"changes":{"team":{"from":null,"to":"it"}}}',
    ),
    (
        ticket.TicketStateChanged(
            from_="new", to="open", transition="take", event="request", comment=None, condition=None
        ),
        '{"from":"new","to":"open","transition":"take","event":"request","comment":null,"condition":null}',
    ),
    (ticket.TicketAssigned(from_=None, to=SESSION), '{"from":null,"to":"%s"}'),
    (ticket.TicketAssigned(from_=SESSION, to=None, how="nobody"), '{"from":"%s","to":null,"how":"nobody"}'),
    (
        ticket.MessageRetried(message_id=SESSION, delivery_ids=[SESSION]),
        '{"message_id":"%s","delivery_ids":["%s"]}',
    ),
    (
        answering.MessageRescheduled(message_id=SESSION, send_at=AT),
        '{"message_id":"%s","send_at":"2026-03-02T09:00:00+00:00"}',
    ),
    (answering.MacroApplied(macro_id=SESSION, name="Solve"), '{"macro_id":"%s","name":"Solve"}'),
    (
        answering.SideConversationStarted(side_conversation_id=SESSION, message_id=SESSION, channel="email"),
        '{"side_conversation_id":"%s","message_id":"%s","channel":"email"}',
    ),
    (ticket.TicketSnoozed(until=None, note="parts ordered"), '{"until":null,"note":"parts ordered"}'),
    (ticket.TicketWoken(by="message"), '{"by":"message"}'),
    (ticket.TicketDeleted(kind="spam", note=None), '{"kind":"spam","note":null}'),
    (ticket.TicketRestored(by="message"), '{"by":"message"}'),
    (ticket.TicketPurged(), "{}"),
    (
        ticket.TicketImported(import_id=SESSION, source="zendesk", source_id="4711", former_number=None),
        f'{{"import_id":"{ID}","source":"zendesk","source_id":"4711","former_number":null}}',
    ),
    (
        ticket.TimeEntryAdded(entry_id=SESSION, user_id=SESSION, minutes=5),
        '{"entry_id":"%s","user_id":"%s","minutes":5}',
    ),
    (
        ticket.TimeEntryChanged(entry_id=SESSION, minutes_before=5, minutes=7),
        '{"entry_id":"%s","minutes_before":5,"minutes":7}',
    ),
    (ticket.TimeEntryRemoved(entry_id=SESSION, minutes=7), '{"entry_id":"%s","minutes":7}'),
    (ticket.FollowerAdded(user_id=SESSION, reason="follows"), '{"user_id":"%s","reason":"follows"}'),
    (ticket.FollowerRemoved(user_id=SESSION), '{"user_id":"%s"}'),
    (ticket.TicketRelated(ticket_id=SESSION, reason="closed"), '{"ticket_id":"%s","reason":"closed"}'),
    (ticket.TicketRated(payload={"score": 5}, comment=None), '{"payload":{"score":5},"comment":null}'),
    (
        ticket.TicketMigrated(
            migration_id=SESSION,
            from_=ticket.WorkflowPlace(workflow="support", version=1, state="new"),
            to=ticket.WorkflowPlace(workflow="support", version=2, state="open"),
        ),
        '{"migration_id":"%s","from":{"workflow":"support","version":1,"state":"new"},'
        '"to":{"workflow":"support","version":2,"state":"open"}}',
    ),
    (
        ticket.TicketReclassified(
            type="incident",
            from_=ticket.WorkflowPlace(workflow="support", version=1, state="new"),
            to=ticket.WorkflowPlace(workflow="incident", version=2, state="reported"),
            reason="r",
        ),
        '{"type":"incident","from":{"workflow":"support","version":1,"state":"new"},'
        '"to":{"workflow":"incident","version":2,"state":"reported"},"reason":"r"}',
    ),
    (ticket.MigrationSkipped(migration_id=SESSION, reason="r"), '{"migration_id":"%s","reason":"r"}'),
    (
        ticket.MessageReceived(message_id=SESSION, channel="api", account=None, automatic=None),
        '{"message_id":"%s","channel":"api","account":null,"automatic":null}',
    ),
    (
        ticket.MessageReceived(
            message_id=SESSION, channel="email", account="support", automatic="bulk", inbox_id=SESSION
        ),
        f'{{"message_id":"%s","channel":"email","account":"support","automatic":"bulk","inbox_id":"{ID}"}}',
    ),
    (
        ticket.MessageAdded(message_id=SESSION, delivery_ids=[SESSION], automatic=False),
        f'{{"message_id":"%s","delivery_ids":["{ID}"],"automatic":false}}',
    ),
    (
        ticket.MessageAdded(message_id=SESSION, delivery_ids=[], automatic=True, template="received"),
        '{"message_id":"%s","delivery_ids":[],"automatic":true,"template":"received"}',
    ),
    (
        ticket.MessageEdited(message_id=SESSION, previous_body="before"),
        '{"message_id":"%s","previous_body":"before"}',
    ),
    (
        ticket.MessagePartAdded(message_id=SESSION, external_id="7"),
        '{"message_id":"%s","external_id":"7"}',
    ),
    (
        ticket.MessageEditSent(message_id=SESSION, delivery_ids=[SESSION]),
        f'{{"message_id":"%s","delivery_ids":["{ID}"]}}',
    ),
    (ticket.MessageDeleted(message_id=SESSION, by="sender"), '{"message_id":"%s","by":"sender"}'),
    (
        ticket.ReactionChanged(message_id=SESSION, from_=[], to=["👍"]),
        '{"message_id":"%s","from":[],"to":["👍"]}',
    ),
    (
        ticket.AttachmentStored(attachment_id=SESSION, message_id=SESSION, size_bytes=3, sha256="ab"),
        f'{{"attachment_id":"%s","message_id":"{ID}","size_bytes":3,"sha256":"ab"}}',
    ),
    (
        ticket.AttachmentFailed(attachment_id=SESSION, message_id=SESSION, state="failed", reason="r"),
        f'{{"attachment_id":"%s","message_id":"{ID}","state":"failed","reason":"r"}}',
    ),
    (
        ticket.AttachmentFailed(
            attachment_id=SESSION, message_id=SESSION, state="too_large", reason="r", requester_told=True
        ),
        f'{{"attachment_id":"%s","message_id":"{ID}","state":"too_large","reason":"r","requester_told":true}}',
    ),
    (ticket.RequesterReachable(reason="unblocked"), '{"reason":"unblocked"}'),
    (ticket.RequesterUnreachable(reason="blocked"), '{"reason":"blocked"}'),
    (ticket.PersonalDataErased(), "{}"),
    (ticket.NoteAdded(message_id=SESSION), '{"message_id":"%s"}'),
    (
        ticket.DeliveryFailed(delivery_id=SESSION, message_id=SESSION, state="failed", error="550"),
        f'{{"delivery_id":"%s","message_id":"{ID}","state":"failed","error":"550"}}',
    ),
    (ticket.DeliveryDelivered(delivery_id=SESSION, detail="250"), '{"delivery_id":"%s","detail":"250"}'),
    (ticket.DeliveryOpened(delivery_id=SESSION, detail=""), '{"delivery_id":"%s","detail":""}'),
    (ticket.DeliveryBounced(delivery_id=SESSION, detail="550"), '{"delivery_id":"%s","detail":"550"}'),
    (ticket.DeliveryComplained(delivery_id=SESSION, detail=""), '{"delivery_id":"%s","detail":""}'),
    (ticket.DeliveryUnsubscribed(delivery_id=SESSION, detail=""), '{"delivery_id":"%s","detail":""}'),
    (
        ticket.CopyNotDelivered(delivery_id=SESSION, recipient="bob@example.test", error="550"),
        '{"delivery_id":"%s","recipient":"bob@example.test","error":"550"}',
    ),
    (
        workflow_payloads.AutomaticMessageWithheld(template="received", reason="loop"),
        '{"template":"received","reason":"loop"}',
    ),
    (workflow_payloads.AgentsNotified(users=[ID], team=None), '{"users":["%s"],"team":null}'),
    (workflow_payloads.EffectWithheld(effect="send", reason="r"), '{"effect":"send","reason":"r"}'),
    (workflow_payloads.WebhookCalled(webhook="crm", event="timer"), '{"webhook":"crm","event":"timer"}'),
    (
        workflow_payloads.FeeCharged(kind="fee", amount_minor=500, currency="EUR", user=ID),
        '{"kind":"fee","amount_minor":500,"currency":"EUR","user":"%s"}',
    ),
    (
        workflow_payloads.RewardGranted(kind="reward", amount_minor=500, currency="EUR", user=ID),
        '{"kind":"reward","amount_minor":500,"currency":"EUR","user":"%s"}',
    ),
    (
        workflow_payloads.LinkedTicketWanted(
            wanted=workflow_payloads.LinkedTicket(
                title="Order",
                description=None,
                type="order",
                workflow=None,
                priority=None,
                team="it",
                fields={},
                link="parent",
            )
        ),
        '{"wanted":{"title":"Order","description":null,"type":"order","workflow":null,"priority":null,"team":"it",'
        '"fields":{},"link":"parent"}}',
    ),
    (
        workflow_payloads.LinkedTicketMade(ticket_id=SESSION, number=7, link="parent"),
        '{"ticket_id":"%s","number":7,"link":"parent"}',
    ),
    (
        workflow_payloads.ApprovalRequested(
            approval_id=SESSION, transition="buy", team="it", needed=2, expires_at=AT, comment=None
        ),
        '{"approval_id":"%s","transition":"buy","team":"it","needed":2,"expires_at":"2026-03-02T09:00:00+00:00",'
        '"comment":null}',
    ),
    (
        workflow_payloads.ApprovalVoted(transition="buy", user=ID, vote="approve", comment="ok"),
        '{"transition":"buy","user":"%s","vote":"approve","comment":"ok"}',
    ),
    (
        workflow_payloads.ApprovalDecided(transition="buy", outcome="approved"),
        '{"transition":"buy","outcome":"approved"}',
    ),
    (
        workflow_payloads.ApprovalDecided(transition="buy", outcome="withdrawn", field="amount"),
        '{"transition":"buy","outcome":"withdrawn","field":"amount"}',
    ),
    (
        workflow_payloads.TransitionRefused(event="request", transition=None, reasons=("a", "b")),
        '{"event":"request","transition":null,"reasons":["a","b"]}',
    ),
    (workflow_payloads.EventUnmatched(event="signal", name="paid"), '{"event":"signal","name":"paid"}'),
    (workflow_payloads.AutomationStopped(event="note", reason="r"), '{"event":"note","reason":"r"}'),
    (
        workflow_payloads.AutomationFailed(event="timer", task_id=9, reason="r"),
        '{"event":"timer","task_id":9,"reason":"r"}',
    ),
    (
        workflow_payloads.SlaWarning(target="resolution", due_at=AT),
        '{"target":"resolution","due_at":"2026-03-02T09:00:00+00:00"}',
    ),
    (workflow_payloads.SlaBreached(target="resolution", due_at=None), '{"target":"resolution","due_at":null}'),
    *PEOPLE,
    (workflow_payloads.SignalReceived(signal="paid", payload={"a": 1}), '{"signal":"paid","payload":{"a":1}}'),
    *sorting_rows.ROWS,
]


@pytest.mark.parametrize(
    ("event", "bytes_before"),
    PAYLOADS,
    ids=lambda value: type(value).__name__ if isinstance(value, msgspec.Struct) else "",
)
def test_a_payload_is_written_byte_for_byte_as_before(event: payload.EventPayload, bytes_before: str) -> None:
    assert as_json(payload.as_mapping(event)) == bytes_before.replace("%s", ID)


def test_the_bytes_of_every_declared_payload_are_compared() -> None:
    assert {type(event) for event, _ in PAYLOADS} == set(EVENT_TYPES.values())


@pytest.mark.parametrize(
    ("cause", "bytes_before"),
    [
        (
            payload.Cause(rule="acknowledge", workflow="support", workflow_version=2),
            '{"rule":"acknowledge","workflow":"support","workflow_version":2}',
        ),
        (
            payload.Cause(rule="r", workflow="support", workflow_version=2, condition="a == 1", values={"a": 1}),
            '{"rule":"r","workflow":"support","workflow_version":2,"condition":"a == 1","values":{"a":1}}',
        ),
    ],
)
def test_a_cause_is_written_byte_for_byte_as_before(cause: payload.Cause, bytes_before: str) -> None:
    assert as_json(payload.as_mapping(cause)) == bytes_before
