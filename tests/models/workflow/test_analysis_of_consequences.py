"""Static analysis: rules that never act, never end, or give a field a value of another kind. Each fault stands beside
a definition that nearly has it.
"""

from __future__ import annotations

from typing import Any

import pytest

from models.infomodel import checks as infomodel_checks
from models.workflow import checks
from models.workflow.analysis import analyse
from tests.models.workflow.test_analysis import CLEAN, LABEL, SEND, TEMPLATES, move

FIELD = {"label": LABEL}
THING = infomodel_checks.parse(
    {
        "type": "thing",
        "label": LABEL,
        "workflow": "clean",
        "fields": {
            "seats": {"kind": "number", "min": 1, "max": 10, **FIELD},
            "rate": {"kind": "number", **FIELD},
            "reason": {"kind": "text", "portal": "edit", **FIELD},
            "secret": {"kind": "text", "see": ["manager", "admin"], "edit": ["manager", "admin"], **FIELD},
            "urgent": {"kind": "checkbox", **FIELD},
            "until": {"kind": "date", **FIELD},
        },
    }
)
PROMISE = [{"name": "p", "targets": {"first_response": "4h"}}]
APPROVAL = {"team": "it", "expires": "3d"}
WEBHOOKS = {"hook": {"url": "https://hooks.example.test/x", "secret": {"secret": "hook"}}}
TAG = [{"add_tags": ["x"]}]
BOTH = "Hello {{ requester.name }}"
NOTE = [{"note": "text"}]
CHILD = {"title": "text", "type": "thing"}


def codes(**changes: Any) -> set[str]:
    body: dict[str, Any] = {**CLEAN, **changes}
    for section in ("states", "transitions"):
        body[section] = {**CLEAN[section], **changes.get(section, {})}
    found = analyse(
        checks.parse(body), types={"thing": THING}, teams={"it"}, workflows={"clean"}, people={"ada@example.test"}
    )
    return {one.code for one in found}


def rule(event: str, name: str = "r", in_: list[str] | None = None, **more: Any) -> dict[str, Any]:
    return {"on": event, "name": name, **({"in": in_} if in_ else {}), **more}


def tagged(event: str, when: str, name: str = "r", **more: Any) -> dict[str, Any]:
    return rule(event, name, when=when, do=TAG, **more)


@pytest.mark.parametrize(
    ("code", "faulty", "near"),
    [
        (
            "never_true",
            {"reactions": [tagged("note", "fields.seats > 10.0")]},
            {"reactions": [tagged("note", "fields.seats >= 10.0")]},
        ),
        (
            "always_true",
            {"reactions": [tagged("note", "fields.seats <= 10.0")]},
            {"reactions": [tagged("note", "fields.seats < 10.0")]},
        ),
        (
            "never_true",
            {"reactions": [tagged("note", 'desk.weekday == "monday"')]},
            {"reactions": [tagged("note", 'desk.weekday == "mon"')]},
        ),
        (
            "never_true",
            {"reactions": [tagged("note", "desk.hour == 24")]},
            {"reactions": [tagged("note", "desk.hour == 23")]},
        ),
        (
            "reaction_shadowed",
            {
                "reactions": [
                    tagged("note", "fields.urgent", "a"),
                    tagged("note", "!fields.urgent", "b"),
                    tagged("note", "fields.rate > 2.0", "c"),
                ]
            },
            {
                "reactions": [
                    tagged("note", "fields.urgent", "a"),
                    tagged("note", "fields.rate > 9.0", "b"),
                    tagged("note", "fields.rate > 2.0", "c"),
                ]
            },
        ),
        (
            "reaction_shadowed",
            {
                "reactions": [
                    rule("note", "a", ["a"], do=TAG),
                    rule("note", "b", ["b", "z"], do=TAG),
                    tagged("note", "fields.urgent", "c"),
                ]
            },
            {
                "reactions": [
                    rule("note", "a", ["a"], do=TAG),
                    rule("note", "b", ["b"], do=TAG),
                    tagged("note", "fields.urgent", "c"),
                ]
            },
        ),
        (
            "mail_loop",
            {
                "templates": TEMPLATES,
                "transitions": {"go": move(do=SEND)},
                "reactions": [rule("requester_message", transition="go", in_=["a"])],
            },
            {
                "templates": TEMPLATES,
                "transitions": {"go": move(do=SEND)},
                "reactions": [rule("requester_message", transition="go", when='message.automatic == ""', in_=["a"])],
            },
        ),
        (
            "approval_circle",
            {
                "transitions": {
                    "go": move(approval={**APPROVAL, "refused": "back2"}),
                    "back2": move(approval={**APPROVAL, "refused": "go"}),
                }
            },
            {"transitions": {"go": move(approval={**APPROVAL, "refused": "back2"}), "back2": move()}},
        ),
        (
            "approval_circle",
            {"transitions": {"go": move(approval=APPROVAL)}, "reactions": [rule("approval_refused", transition="go")]},
            {"transitions": {"go": move(approval=APPROVAL)}, "reactions": [rule("approval_refused", transition="end")]},
        ),
        (
            "webhook_loop",
            {"webhooks": WEBHOOKS, "reactions": [rule("webhook_failed", do=[{"webhook": "hook"}])]},
            {"webhooks": WEBHOOKS, "reactions": [rule("note", do=[{"webhook": "hook"}])]},
        ),
        (
            "tickets_breed",
            {"templates": TEMPLATES, "reactions": [rule("ticket_created", do=[{"create_ticket": CHILD}])]},
            {"templates": TEMPLATES, "reactions": [rule("rated", do=[{"create_ticket": CHILD}])]},
        ),
        (
            "wrong_value",
            {"reactions": [rule("note", do=[{"set": {"urgent": {"cel": "ticket.title"}}}])]},
            {"reactions": [rule("note", do=[{"set": {"urgent": {"cel": 'ticket.title == "x"'}}}])]},
        ),
        (
            "wrong_value",
            {"reactions": [rule("note", do=[{"set": {"reason": {"cel": "ticket.number"}}}])]},
            {"reactions": [rule("note", do=[{"set": {"reason": {"cel": "string(ticket.number)"}}}])]},
        ),
        (
            "transition_cannot_start",
            {"reactions": [rule("note", transition="back", in_=["a"])]},
            {"reactions": [rule("note", transition="back", in_=["b"])]},
        ),
        (
            "transition_cannot_start",
            {"reactions": [rule("state_entered", state="a", transition="back")]},
            {"reactions": [rule("state_entered", state="b", when="fields.urgent", transition="back")]},
        ),
        (
            "required_field_unseen",
            {"transitions": {"go": move(requires=["secret"])}},
            {"transitions": {"go": move(requires=["secret"], who=["manager"])}},
        ),
        (
            "required_field_unseen",
            {"transitions": {"go": move(requires=["rate"], who=["requester", "agent"])}},
            {"transitions": {"go": move(requires=["reason"], who=["requester", "agent"])}},
        ),
        (
            "unknown_person",
            {
                "templates": TEMPLATES,
                "reactions": [rule("note", do=[{"notify": {"text": "text", "user": "bob@example.test"}}])],
            },
            {
                "templates": TEMPLATES,
                "reactions": [rule("note", do=[{"notify": {"text": "text", "user": "Ada@example.test"}}])],
            },
        ),
        (
            "unknown_person",
            {"reactions": [rule("note", do=[{"assign": {"how": "person", "user": "bob@example.test"}}])]},
            {"reactions": [rule("note", do=[{"assign": {"how": "person", "user": "ada@example.test"}}])]},
        ),
        (
            "sla_without_policy",
            {"sla": PROMISE, "reactions": [rule("sla_breached", target="resolution", do=[{"add_tags": ["late"]}])]},
            {"sla": PROMISE, "reactions": [rule("sla_breached", target="first_response", do=[{"add_tags": ["late"]}])]},
        ),
        (
            "sla_without_policy",
            {"reactions": [rule("sla_warning", do=[{"add_tags": ["late"]}])]},
            {"sla": PROMISE, "reactions": [rule("sla_warning", do=[{"add_tags": ["late"]}])]},
        ),
        (
            "no_event_fact",
            {"reactions": [tagged("note", "event.count > 2")]},
            {
                "timers": {"t": {"in": ["a"], "after": "1h"}},
                "reactions": [tagged("timer", "event.count > 2", timer="t")],
            },
        ),
        (
            "no_event_fact",
            {"reactions": [tagged("requester_message", 'event.payload.host == "x"')]},
            {"reactions": [tagged("signal", 'event.payload.host == "x"', signal="s")]},
        ),
        (
            "no_event_fact",
            {"reactions": [tagged("assigned", 'event.after == "x"')]},
            {"reactions": [tagged("field_changed", 'event.after == "x"', field="reason")]},
        ),
        (
            "variable_lacking",
            {
                "templates": {"text": {"en": BOTH, "ru": "Привет"}},
                "reactions": [rule("note", do=NOTE)],
            },
            {
                "templates": {"text": {"en": BOTH, "ru": "Привет, {{ requester.name }}"}},
                "reactions": [rule("note", do=NOTE)],
            },
        ),
        (
            "may_divide_by_zero",
            {"reactions": [tagged("note", "10.0 / fields.rate > 2.0")]},
            {"reactions": [tagged("note", "fields.rate > 0.0 && 10.0 / fields.rate > 2.0")]},
        ),
    ],
)
def test_a_fault_is_found_and_its_neighbour_is_not(code: str, faulty: dict[str, Any], near: dict[str, Any]) -> None:
    assert code in codes(**faulty)
    assert code not in codes(**near)
