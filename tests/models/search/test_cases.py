"""A table of searches over one small desk: both engines find the same tickets."""

from __future__ import annotations

from uuid import UUID

import pytest

from models.attachments.tables import Attachment
from models.kernel import clock
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.search import finding, searching
from models.teams import commands as teams
from models.ticket_actions import answering
from models.ticket_lists.filters import TicketFilter
from models.tickets.tables import Ticket
from models.visibility.sight import DESK, Sight
from tests.desk import Desk

AGENT, ADMIN, OUTSIDER = "agent", "admin", "outsider"

# Query -> the names of the tickets that it finds, for an agent.
CASES: dict[str, set[str]] = {
    # words and their forms
    "fire": {"printer"},
    "FIRE": {"printer"},
    "printers": {"printer", "toner"},
    "burning": {"printer"},
    "burned": {"printer"},
    "fire toner": set(),
    "printer fire": {"printer"},
    "fire morning": {"printer"},  # title and message
    "printer toner": {"toner"},
    "don't": {"toner"},
    "dont": {"toner"},
    # Russian: forms, case, ё
    "принтер": {"russian"},
    "ПРИНТЕРЫ": {"russian"},
    "принтерами горит": {"russian"},
    "ещё": {"russian"},
    "еще": {"russian"},
    "новый": {"russian"},
    "нового": {"russian"},
    # accents and compatible forms
    "cafe": {"accents"},
    "café": {"accents"},
    "CAFÉ": {"accents"},
    "cafe\u0301": {"accents"},
    "strasse": {"accents"},
    "Straße": {"accents"},
    "smorrebrod": {"accents"},
    "ｃａｆｅ": {"accents"},
    "istanbul": {"accents"},
    "office": {"accents"},  # ﬃ is one character
    # scripts without spaces, and others
    "東京": {"scripts"},
    "東京都": {"scripts"},
    "京": {"scripts"},
    "京東": set(),
    "東京タワー": {"scripts"},
    "ﾀﾜｰ": {"scripts"},
    "สวัสดี": {"scripts"},
    "서버": {"scripts"},
    "مرحبا": {"scripts"},
    "מדפסת": {"scripts"},
    "προβλημα": {"scripts"},
    "हिन्दी": {"scripts"},
    # phrases
    '"paper jam"': {"jam"},
    "“paper jam”": {"jam"},
    '"jam paper"': set(),
    "paper jam": {"jam", "two texts"},
    '"jam today"': {"jam"},
    '"first text second"': set(),  # a phrase ends with its text
    '"paper jam" -today': set(),
    '"unclosed paper': set(),
    '"paper jam': {"jam"},
    # exclusion, alternatives, parentheses
    "printer -fire": {"toner"},
    "printer NOT fire": {"toner"},
    "fire OR jam": {"printer", "jam", "two texts"},
    "printer (fire OR toner)": {"printer", "toner"},
    "printer fire OR toner": {"printer", "toner"},
    "-(printer OR paper) tag:vip": {"accents"},
    "fire OR": {"printer"},
    "(fire": {"printer"},
    "fire)": {"printer"},
    ":-)": set(),
    "fire :-)": {"printer"},
    # beginnings
    "prin": {"printer", "toner"},
    "prin*": {"printer", "toner"},
    "prin* fire": {"printer"},
    "prin fire": set(),  # only the last word may go on
    "runn": {"toner"},  # the stem of "running" is "run"
    "прин": {"russian"},
    # people, addresses, numbers, files and ids, also by parts
    "lovelace": {"people"},
    "ada.lovelace@analytical.example": {"people"},
    "lovelace@analytical": {"people"},
    "velace@anal": {"people"},
    "ytical.exam": {"people"},
    "invoice-2026.pdf": {"people"},
    "voice-2026": {"people"},
    "oice-20": {"people"},
    "<abc.123@mail.example>": {"people"},
    "c.123@mai": {"people"},
    "INV-2026-0042": {"jam"},
    "2026-0042": {"jam"},
    # notes and fields
    "secretword": {"note"},
    "jaguar": {"field"},
    '"jaguar xj"': {"field"},
    '"xj jaguar"': set(),
    # operators
    "priority:urgent": {"toner"},
    "priority:urgent,high": {"toner", "jam"},
    "tag:vip": {"accents", "printer"},
    "tag:vip cafe": {"accents"},
    "-tag:vip printer": {"toner"},
    "tag:vip OR toner": {"accents", "printer", "toner"},
    "type:incident": {"field"},
    "from:ada.lovelace@analytical.example": {"people"},
    "from:lovelace": {"people"},
    "has:file": {"people"},
    'field.service:"Jaguar XJ"': {"field"},
    "created:<1h printer": {"printer", "toner"},
    "created:>1h printer": set(),
    "created:>2020-01-01 fire": {"printer"},
    "created:<2020-01-01 fire": set(),
    "created:2020-01-01..2021-01-01 fire": set(),
    "team:support fire": set(),
    "assignee:none fire": {"printer"},
    "is:unassigned fire": {"printer"},
    "assignee:me": set(),
    "is:snoozed": set(),
    "is:failed fire": set(),
    "category:closed": set(),
    "fire category:todo,waiting,done,closed": {"printer"},
    # permissions
    "hidden": set(),
}
# Query -> by somebody else.
ADMIN_CASES = {"hidden": {"hidden"}, "fire": {"printer"}}


@pytest.fixture
def named(desk: Desk) -> dict[UUID, str]:
    """The tickets of the table by id."""
    with database.transaction():
        teams.declare("hr", {"en": "HR", "ru": "Кадры"}, "members")
    made = {
        "printer": desk.create_ticket("Printer on fire", description="It is burning since the morning.", tags=("vip",)),
        "toner": desk.create_ticket(
            "Printers need toner", description="It's running low. We don't know why.", priority="urgent"
        ),
        "russian": desk.create_ticket("Принтер горит", description="Ещё вчера всё работало. Новый купили зря."),
        "accents": desk.create_ticket(
            "Café in der Straße", description="smørrebrød, İstanbul, o\ufb03ce", tags=("vip",)
        ),
        "scripts": desk.create_ticket("東京都の東京タワー", description="สวัสดีครับ 서버가 مَرْحَبًا מַדְפֶּסֶת πρόβλημα हिन्दी"),
        "jam": desk.create_ticket("Paper jam today", description="Order INV-2026-0042.", priority="high"),
        "two texts": desk.create_ticket("The first text", description="Second text: jam without paper"),
        "people": desk.create_ticket(
            "A letter", email="ada.lovelace@analytical.example", requester_name="Ada Lovelace"
        ),
        "note": desk.create_ticket("With a note"),
        "field": desk.create_ticket("With a field", type="incident", fields={"service": "Jaguar XJ"}),
        "hidden": desk.create_ticket("Hidden from most", team="hr"),
    }
    with database.transaction():
        answering.note(made["note"].id, "The secretword is here.", actor=desk.person())
        _attach(desk, made["people"])
    desk.index()
    return {ticket.id: name for name, ticket in made.items()}


def _attach(desk: Desk, ticket: Ticket) -> None:
    message_id = answering.note(ticket.id, "A file.", actor=desk.person())
    database.run(
        "UPDATE messages SET kind = 'reply', external_id = '<abc.123@mail.example>' WHERE id = :id", id=message_id
    )
    Attachment.insert(
        id=new_id(),
        ticket_id=ticket.id,
        message_id=message_id,
        position=1,
        filename="Invoice-2026.pdf",
        content_type="application/pdf",
        size_bytes=1,
        inline=False,
        hidden=False,
        state="stored",
        created_at=clock.now(),
    ).execute()


def found(query: str, names: dict[UUID, str], sight: Sight = DESK) -> list[str]:
    """The names of the tickets that a query finds, in the order by the last change; the same ones by relevance."""
    with database.connection():
        search = searching.read(query, wanted=TicketFilter(), sight=sight).search
        listed = [names[one.ticket.id] for one in finding.page(search, sort="-updated_at", after=None, limit=50)]
        relevant = [names[ticket.id] for _, ticket in finding.by_relevance(search, after=None, limit=50)]
    assert sorted(listed) == sorted(relevant)
    return listed


def of(desk: Desk, role: str) -> Sight:
    return Sight(UUID(str(desk.person(role).id)), role, sees_all=role == "admin")


def test_every_query_of_the_table_finds_its_tickets(desk: Desk, named: dict[UUID, str]) -> None:
    agent = of(desk, "agent")

    answers = {query: set(found(query, named, agent)) for query in CASES}

    assert {query: names for query, names in answers.items() if names != CASES[query]} == {}


def test_hidden_teams_are_found_by_those_who_see_them(desk: Desk, named: dict[UUID, str]) -> None:
    admin = of(desk, "admin")

    answers = {query: set(found(query, named, admin)) for query in ADMIN_CASES}

    assert answers == ADMIN_CASES
