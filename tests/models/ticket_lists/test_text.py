"""Searching finds words in any script, without regard to case, on both engines."""

from __future__ import annotations

import pytest

from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.page import page
from models.visibility.sight import DESK
from tests.desk import Desk


@pytest.mark.parametrize("asked", ["принтер", "ПРИНТЕР", "Горит", "100%_"])
def test_a_search_ignores_case_beyond_ascii_and_takes_wildcards_literally(desk: Desk, asked: str) -> None:
    wanted = desk.create_ticket("Принтер ГОРИТ на 100%_")
    desk.create_ticket("Something else, 100 of it")

    found = page(TicketFilter(text=asked), sort="number", after=None, limit=10, sight=DESK)

    assert [ticket.id for ticket in found] == [wanted.id]
