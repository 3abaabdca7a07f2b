"""A requester's chat in which a transition asks for its input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models.definitions import store
from models.kernel.storage import database
from models.ports import outbound
from models.ports.inbound import ButtonPress
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.models.inbound.story import CHAT, opened, told

MODEL: dict[str, Any] = {
    "item": {"kind": "text", "label": {"en": "Item", "ru": "Предмет"}, "portal": "edit"},
    "amount": {"kind": "money", "currencies": ["EUR"], "min": 1, "label": {"en": "Amount", "ru": "Сумма"}},
    "size": {
        "kind": "choice",
        "choices": {
            "small": {"label": {"en": "Small one", "ru": "Малый"}},
            "large": {"label": {"en": "Large one", "ru": "Большой"}},
        },
        "label": {"en": "Size", "ru": "Размер"},
        "help": {"en": "Small fits a desk.", "ru": "Малый помещается на стол."},
    },
    "parts": {
        "kind": "multi_choice",
        "choices": {name: {"label": {"en": name.title(), "ru": name.title()}} for name in ("lamp", "chair", "desk")},
        "label": {"en": "Parts", "ru": "Части"},
    },
    "when": {"kind": "date", "label": {"en": "Needed by", "ru": "Нужно к"}},
    "urgent": {"kind": "checkbox", "label": {"en": "Urgent", "ru": "Срочно"}},
    "boss": {"kind": "person", "label": {"en": "Boss", "ru": "Начальник"}},
    "about": {"kind": "ticket", "label": {"en": "About", "ru": "О заявке"}},
    "secret": {"kind": "text", "label": {"en": "Secret", "ru": "Секрет"}, "portal": "hidden"},
}


def publish_wish(category: str = "waiting", name: str = "submit", **submit: Any) -> None:
    """Publish a life cycle for the type `wish`, whose transition `name` has the given keys, and its model.

    `category`: of the state after `submit`.
    """
    states = {
        "draft": {"category": "todo", "label": {"en": "Draft", "ru": "Черновик"}},
        "sent": {"category": category, "label": {"en": "Sent", "ru": "Отправлено"}},
    }
    label = {"en": "Submit", "ru": "Отправить"}
    move = {"from": ["draft"], "to": "sent", "label": label, "who": ["requester", "agent"], **submit}
    workflow = {
        "workflow": "wish",
        "label": label,
        "types": ["wish"],
        "initial": "draft",
        "states": states,
        "transitions": {name: move},
    }
    fields = {name: {"portal": "edit", **field} for name, field in MODEL.items()}
    model = {"type": "wish", "label": {"en": "Wish", "ru": "Желание"}, "workflow": "wish", "fields": fields}
    with database.transaction():
        store.publish("workflow", "wish", workflow, source="test", by="tests")
        store.publish("model", "wish", model, source="test", by="tests")


def offered(desk: Desk, ticket: Ticket) -> list[outbound.Button]:
    """The buttons under an answer to the requester."""
    desk.reply(ticket, "Is that all?")
    desk.run_due()
    return list(desk.calls[-1].message.buttons)


def press(desk: Desk, label: str, *, user: str = "42") -> dict[str, Any]:
    """Press the newest button with this label."""
    buttons = [one for call in desk.calls for one in call.message.buttons if one.label == label]
    return told(desk, ButtonPress(buttons[-1].token, buttons[-1].value, user, "Ada", "42", None))


def says(desk: Desk, text: str, **changes: Any) -> dict[str, Any]:
    parsed = replace(CHAT, body=text, external_id=f"42:{next(desk._numbers)}")
    return told(desk, replace(parsed, **changes))


def labels(desk: Desk) -> list[str]:
    return [one.label for one in desk.calls[-1].message.buttons]


def begun(desk: Desk) -> Ticket:
    ticket = opened(desk)
    offered(desk, ticket)
    press(desk, "Submit")
    return ticket
