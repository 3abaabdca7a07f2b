"""The topic of a merged ticket: it says so, is closed, and an agent who writes there answers in the target."""

from __future__ import annotations

from uuid import UUID

import pytest

from models.identity.rules import Permission
from models.regrouping import merging
from models.undo import restorers
from models.visibility.sight import DESK
from tests.desk import Desk
from tests.models.staff_chat.groups import GROUP, Topics, opened, says

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def test_a_topic_of_a_merged_ticket_is_closed_and_forwards(desk: Desk, group: Topics) -> None:
    source = opened(desk)
    target = desk.create_ticket("Target", requester_name="Ada")
    desk.run_due()

    undo_id: UUID = desk.command(
        merging.merge, source.id, target.id, actor=desk.person("agent"), sight=DESK, confirmed=True
    )
    desk.run_due()
    says(desk, "/note Read this.")
    for _ in range(5):  # posts of a group keep its rate limit
        desk.advance(minutes=1)
        desk.run_due()

    posts = [call.body for call in desk.sent if call.address == f"{GROUP}/11"]
    assert f"Merged into ticket #{target.number}" in posts
    assert ("close", f"{GROUP}/11") in group.changed
    assert any(f"Ticket #{source.number} was merged into this one" in call.body for call in desk.sent)
    assert [one["body"] for one in desk.messages(target)][-1] == "Read this."

    desk.command(restorers.restore, undo_id, actor=desk.person("agent"), permissions=frozenset(Permission))
    for _ in range(5):
        desk.advance(minutes=1)
        desk.run_due()
    assert group.changed[-1] == ("reopen", f"{GROUP}/11")
