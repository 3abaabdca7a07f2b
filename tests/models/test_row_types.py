"""The row types of queries name the columns that their tables have, so that mypy judges readers by the real names."""

from __future__ import annotations

from typing import Any

import peewee
import pytest

from models.attachments.row_types import AttachmentRow
from models.attachments.tables import Attachment
from models.conversations.row_types import MessageRow
from models.conversations.tables import Message
from models.deliveries.row_types import AttemptRow, DeliveryRow
from models.deliveries.tables import Delivery, DeliveryAttempt
from models.events.row_types import LogEvent
from models.events.tables import EventRow
from models.inbox import queries as inbox
from models.inbox.row_types import InboxRow
from models.kernel.storage.table import Table
from models.notices.row_types import NoticeRow
from models.notices.tables import Notice
from models.requesters import queries as requesters
from models.requesters.row_types import IdentityRow, MergeRow, RequesterRow
from models.requesters.tables import RequesterMerge
from models.subscriptions.row_types import WebhookAttemptRow, WebhookDeliveryRow
from models.subscriptions.tables import WebhookAttempt, WebhookDelivery
from models.tasks import queries as tasks
from models.tasks.queries import TaskRow
from models.teams.queries import TeamRow
from models.teams.tables import Team
from models.ticket_workflow.row_types import ApprovalRow, DecisionRow, VoteRow
from models.ticket_workflow.tables import Approval, ApprovalVote, Decision

WHOLE: list[tuple[Any, type[Table]]] = [
    (DeliveryRow, Delivery),
    (AttemptRow, DeliveryAttempt),
    (MessageRow, Message),
    (MergeRow, RequesterMerge),
    (LogEvent, EventRow),
    (DecisionRow, Decision),
    (VoteRow, ApprovalVote),
]


@pytest.mark.parametrize(
    ("row_type", "table"),
    WHOLE,
)
def test_a_type_of_whole_rows_has_every_column_of_its_table(row_type: Any, table: type[Table]) -> None:
    assert set(row_type.__annotations__) == set(table.columns())


@pytest.mark.parametrize(
    ("row_type", "selected", "added"),
    [
        (InboxRow, inbox._SHOWN, set()),
        (IdentityRow, requesters._SHOWN_OF_IDENTITY, set()),
        (RequesterRow, requesters._SHOWN, {"identities"}),
        (TaskRow, tasks._COLUMNS, set()),
    ],
)
def test_a_type_of_partial_rows_has_the_columns_that_its_query_selects(
    row_type: Any, selected: tuple[Any, ...], added: set[str]
) -> None:
    names = {
        field._alias if isinstance(field, peewee.Alias) else field.column_name  # type: ignore[attr-defined]
        for field in selected
    }
    assert set(row_type.__annotations__) - added == names


@pytest.mark.parametrize(
    ("row_type", "table", "added"),
    [
        (AttachmentRow, Attachment, {"sniffed_type", "object_key", "scan", "scan_detail"}),
        (WebhookAttemptRow, WebhookAttempt, set()),
        (WebhookDeliveryRow, WebhookDelivery, {"event_type", "occurred_at", "attempt_log"}),
        (TeamRow, Team, {"members"}),
        (ApprovalRow, Approval, {"votes"}),
        (NoticeRow, Notice, {"ticket_number"}),
    ],
)
def test_a_type_of_joined_rows_has_columns_of_its_table_and_what_its_query_adds(
    row_type: Any, table: type[Table], added: set[str]
) -> None:
    assert added <= set(row_type.__annotations__)
    assert set(row_type.__annotations__) - added <= set(table.columns())


@pytest.mark.parametrize(
    ("row_type", "table"),
    WHOLE,
)
def test_a_column_that_may_be_null_may_be_none_in_its_row_type(row_type: Any, table: type[Table]) -> None:
    may_be_none = {name for name, kind in row_type.__annotations__.items() if "None" in kind.__forward_arg__}

    assert may_be_none == {field.column_name for field in table._meta.sorted_fields if field.null}
