"""GET /v1/search: tickets by words, phrases and operators, the most relevant first, with snippets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of
from functions.http.operations import Answer, Call, Operations
from functions.views import pages, ticket_rows
from functions.views.ticket_rows import Column, ListedTicket
from models.identity.rules import Permission
from models.kernel import limits
from models.search import finding, searching, snippets
from models.search.syntax import tree
from models.search.syntax.parsing import query_chars_max
from models.search.syntax.tree import Query
from models.ticket_lists.resolving import resolve
from models.ticket_lists.words import FilterWords
from models.tickets.tables import Ticket

operations = Operations()

SearchText = Annotated[str, msgspec.Meta(max_length=query_chars_max)]
_RELEVANCE = "relevance"
_STEPS = 3


class SearchQuery(FilterWords, kw_only=True):
    """The query, further filters, the order and the paging of a search. Without a query, every ticket matches."""

    q: SearchText = ""
    sort: Literal["relevance", "-updated_at", "updated_at", "-created_at", "created_at"] = "relevance"
    fields: list[Column] = msgspec.field(default_factory=list)
    limit: pages.Limit = limits.page_size_default
    cursor: pages.Cursor | None = None


class Snippet(msgspec.Struct):
    """A part of a text that matches. `marks`: the beginning and the end of each matching word, counted in characters
    from 0.
    `place`: title, message, note, or identifier (an address, a number, a message id or the name of a file).
    """

    place: Literal["title", "message", "note", "identifier"]
    text: str
    marks: list[tuple[int, int]]
    message_id: UUID | None


class FoundTicket(msgspec.Struct):
    """A ticket that a search found. It can have no snippet, for instance when only a tag or a field matches."""

    ticket: ListedTicket
    snippets: list[Snippet]


class Term(msgspec.Struct):
    """A word, a phrase or an operator of a query. `name`: of an operator. `beginning`: longer words match as well."""

    kind: Literal["word", "phrase", "operator"]
    text: str
    name: str | None
    values: list[str]
    negated: bool
    beginning: bool


class UnderstoodQuery(msgspec.Struct):
    """A query as it was understood. `text` is a query that means the same. `ignored`: parts without a letter or a
    digit.
    """

    text: str
    terms: list[Term]
    ignored: list[str]


class SearchPage(msgspec.Struct):
    """A page of found tickets."""

    items: list[FoundTicket]
    next_cursor: str | None
    query: UnderstoodQuery


@operations.add(
    "GET",
    "/v1/search",
    summary="Search tickets",
    needs=Permission.tickets_read,
    query=SearchQuery,
    answers={200: SearchPage},
    problems=(503,),
    unlocked=True,
)
def search_tickets(call: Call[None, SearchQuery]) -> Answer:
    """Words match in any form and in any text of a ticket: title, messages, notes, people, addresses, file names, tags,
    number, message ids and searchable fields. `"..."` is a phrase, `-` excludes, `OR` and parentheses combine, `word*`
    and the last word match beginnings. Parts of addresses, numbers and file names match as well.

    Operators: `state:`, `category:`, `type:`, `priority:`, `channel:`, `account:`, `workflow:`, `team:`, `tag:`,
    `assignee:`, `follower:`, `mentioned:`, `from:`, `created:`, `updated:`, `last_message:`, `due:`, `is:`, `has:file`,
    `field.<name>:`. An unknown operator or value answers 422 with the known ones.

    By relevance, the ticket of a number comes first, then tickets with all words in the title, then the others. A
    process runs few searches at once; others wait, then get 503 `search_busy`. A search that takes too long gets 503
    `search_timeout`.
    """
    query, sight = call.query, sight_of(call)
    found = searching.read(query.q, wanted=resolve(query, sight), sight=sight)
    if query.sort == _RELEVANCE:
        tickets, cursor = _by_relevance(found.search, query)
    else:
        name = f"search:{query.sort}"
        after = pages.decode(query.cursor, name, pages.instant, UUID)
        position = (after[0], after[1]) if after else None
        rows = finding.page(found.search, sort=query.sort, after=position, limit=query.limit + 1)
        page, cursor = pages.cut(rows, query.limit, name, lambda row: row.position)
        tickets = [row.ticket for row in page]
    return Answer(
        SearchPage(
            _shown(tickets, query, found, role=call.caller.role, reader=call.caller.owner_id),
            cursor,
            understood(found.query),
        ),
    )


def _by_relevance(search: finding.Search, query: SearchQuery) -> tuple[list[Ticket], str | None]:
    name = f"search:{_RELEVANCE}"
    after = pages.decode(query.cursor, name, _step, pages.instant, UUID)
    position = (after[0], after[1], after[2]) if after else None
    rows = finding.by_relevance(search, after=position, limit=query.limit + 1)
    page, cursor = pages.cut(rows, query.limit, name, lambda row: (row[0], row[1].updated_at, row[1].id))
    return [ticket for _, ticket in page], cursor


def _step(text: str) -> int:
    value = pages.number(text)
    if value >= _STEPS:
        raise ValueError(text)
    return value


def _shown(
    tickets: Sequence[Ticket], query: SearchQuery, found: searching.ReadQuery, *, role: str, reader: UUID
) -> list[FoundTicket]:
    texts = tree.positive_texts(found.query.node)
    parts = snippets.of_tickets(tickets, texts, found.search.scope)
    items = ticket_rows.listed(tickets, query.fields, role=role, reader=reader)
    return [
        FoundTicket(item, [Snippet(**asdict(part) | {"marks": list(part.marks)}) for part in parts[item.id]])
        for item in items
    ]


def understood(query: Query) -> UnderstoodQuery:
    """The query in public words."""
    terms = [
        Term("operator", f"{node.name}:{','.join(node.values)}", node.name, list(node.values), negated, False)
        if isinstance(node, tree.Operator)
        else Term("phrase" if node.quoted else "word", node.raw, None, [], negated, node.beginning is not None)
        for node, negated in tree.terms(query.node)
    ]
    return UnderstoodQuery(tree.in_words(query.node), terms, list(query.ignored))
