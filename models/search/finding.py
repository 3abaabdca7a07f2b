"""Run a query: choose between the index and the list, and read one page.

A rare word is gathered: the index names the tickets, and these are sorted. A word of most tickets is walked: the list
is read in its order, and each ticket is tested, so a page is full after a few dozen. Gathering a common word would read
and sort most tickets of the desk; walking for a rare one would test all of them. The planner's estimates, which know
how frequent the common tokens are, decide. A walk that finds little for long (all matches are old) is given up.

Relevance has three steps: the ticket of a number, tickets with all words in their title, and the others. Each step is
a list by the last change, so its pages have cursors and read no more than they show.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

import peewee

from models.kernel.errors import StatementTimeout
from models.kernel.storage import database
from models.search import matching, places
from models.search.places import SearchTimeout
from models.search.scope import Scope
from models.search.syntax import tree
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.page import Listed, Position, bounded, listed
from models.tickets.tables import Ticket
from models.visibility.sight import Sight

gathered_max: Final = 500  # tickets that are read and sorted for one page; a few milliseconds
# A part of all tickets. The planner expects half a percent for each token that is not among the most common ones.
gathered_share_max: Final = 0.04
walk_s: Final = 0.4  # after this a walk is worse than gathering all matches
# Of a walk for words that are common alone and, as the planner expects, rare together. Words of one phrase are not.
doubtful_walk_s: Final = 0.08
trigrams_max: Final = 4  # of a part of an address that the index looks for; more of them find nearly the same documents

_NEWEST: Final = "-updated_at"
_LAST_STEP: Final = 2
# The position after a ticket in the order by relevance: its step, its last change and its id.
RelevancePosition = tuple[int, datetime, UUID]
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Search:
    """A query of a caller: its node, the texts that the caller may search, and the filters and the sight that hold as
    well. `of_operator`: the condition of an operator over Ticket.
    """

    node: tree.Node
    scope: Scope
    wanted: TicketFilter
    sight: Sight
    of_operator: matching.OperatorCondition


def page(search: Search, *, sort: str, after: Position | None, limit: int) -> list[Listed]:
    """Return up to `limit` tickets of a search after a position, in the order of `sort` (a key of SORTS).

    Raises SearchBusy, SearchTimeout.
    """
    with places.place():
        return _page(search, _Text.of(search), sort, after, limit)


def by_relevance(search: Search, *, after: RelevancePosition | None, limit: int) -> list[tuple[int, Ticket]]:
    """Return up to `limit` tickets of a search after a position, the most relevant first, each with its step.

    Raises SearchBusy, SearchTimeout.
    """
    found: list[tuple[int, Ticket]] = []
    first = after[0] if after else 0
    position = (after[1], after[2]) if after else None
    with places.place():
        for step, text in _steps(search):
            if step < first:
                continue
            rows = _page(search, text, _NEWEST, position if step == first else None, limit - len(found))
            found += [(step, row.ticket) for row in rows]
            if len(found) >= limit:
                break
    return found


def count(search: Search, *, most: int) -> int:
    """Return the number of tickets of a search, at most `most` + 1, which means that there are more.

    Raises SearchBusy, SearchTimeout.
    """

    def read(also: Sequence[Any]) -> int:
        return int(bounded(search.wanted, sight=search.sight, most=most, also=also).count())

    with places.place():
        return _read(search, _Text.of(search), read)


@dataclass(frozen=True, slots=True)
class _Text:
    """The part of a query that needs documents: groups of queries of the index, and the condition on one document. A
    document must match one query of each group (no group: every document may). `about_tickets`: the condition also
    names columns of the ticket.
    """

    index: Sequence[Sequence[str]]
    condition: Any
    about_tickets: bool
    # The same queries for the planner: the words in texts alone, because it overrates every alternative.
    estimated: Sequence[str] = ()

    @classmethod
    def of(cls, search: Search) -> _Text | None:
        """The part of a query that needs documents; None for a query of operators alone."""
        nodes = [one for one in _parts(search.node) if tree.has_text(one)]
        if not nodes:
            return None
        node = tree.All(tuple(nodes))
        return cls(
            [group for one in nodes if (group := matching.index_queries(one, search.scope, _rarest))],
            matching.exact(node, search.scope, search.of_operator),
            tree.has_operator(node),
            _estimated(nodes),
        )

    def step(self, within: str | None, *, without: Sequence[str]) -> _Text:
        """Narrow to the documents of another query of the index, and to those of none of the others."""
        conditions = [matching.matches(within)] if within is not None else []
        conditions += [peewee.NodeList((peewee.SQL("NOT"), matching.matches(one))) for one in without]
        conditions.append(self.condition)
        more = [within] if within is not None else []
        return _Text(
            [*self.index, *([query] for query in more)],
            matching.joined(conditions, " AND "),
            self.about_tickets,
            [*self.estimated, *more],
        )


def _estimated(nodes: Sequence[tree.Node]) -> list[str]:
    queries = [matching.index_query(one, Scope(notes=False), parts=False) for one in nodes]
    return [one for one in queries if one is not None]


def _parts(node: tree.Node) -> Sequence[tree.Node]:
    """The nodes that must all match."""
    return node.nodes if isinstance(node, tree.All) else (node,)


def _steps(search: Search) -> Iterator[tuple[int, _Text | None]]:
    """The steps of relevance with their numbers, without those in which no ticket can be."""
    text = _Text.of(search)
    texts = [one for one in _parts(search.node) if isinstance(one, tree.Text)]
    if text is None or not texts:
        yield _LAST_STEP, text
        return
    number = matching.number_query(texts[0]) if len(texts) == 1 else None
    named = [number] if number is not None else []
    if number is not None:
        yield 0, text.step(number, without=())
    title = matching.title_query(texts)
    yield 1, text.step(title, without=named)
    yield _LAST_STEP, text.step(None, without=[*named, title])


def _page(search: Search, text: _Text | None, sort: str, after: Position | None, limit: int) -> list[Listed]:
    read = partial(listed, search.wanted, sort=sort, after=after, limit=limit, sight=search.sight)
    return _read(search, text, lambda also: read(also=also))


def conditions(search: Search) -> list[Any]:
    """Return the conditions over Ticket that all tickets of a search fulfil, beside its filter and sight.

    For a reader that wants all of them and not a page, within its own transaction: the index names the tickets.
    """
    text = _Text.of(search)
    return [*_without_text(search), *([] if text is None else _by_index(text))]


def _without_text(search: Search) -> list[Any]:
    of_operator = search.of_operator
    return [matching.exact(one, search.scope, of_operator) for one in _parts(search.node) if not tree.has_text(one)]


def _by_index(text: _Text) -> list[Any]:
    tested = matching.of_ticket(Ticket.id, text.condition)
    if not text.index:
        return [tested]
    if text.about_tickets:
        return [_gathered(matching.ids(text.index, None)), tested]
    return [_gathered(matching.ids(text.index, text.condition))]


def _read(search: Search, text: _Text | None, read: Callable[[Sequence[Any]], _Found]) -> _Found:
    """Run `read` with the conditions of the search, in the way that costs least."""
    also = _without_text(search)

    def within(seconds: float, *conditions: Any, by_index: bool = False) -> _Found:
        with places.time_limit(seconds, by_index=by_index):
            return read([*also, *conditions])

    try:
        if text is None:
            return within(places.search_s)
        seconds = _walk_seconds(text.estimated) if text.index else 0.0
        if seconds > 0:
            with suppress(StatementTimeout):
                return within(seconds, matching.of_ticket(Ticket.id, text.condition))
        return within(places.search_s, *_by_index(text), by_index=bool(text.index))
    except StatementTimeout as error:
        raise SearchTimeout() from error


def _gathered(ids: Any) -> Any:
    """The condition that a ticket is one of a query. On PostgreSQL the query runs first, whatever the planner expects:
    it would otherwise walk the list in the hope of a full page.
    """
    if database.is_postgres():
        return peewee.NodeList((Ticket.id, peewee.SQL("= ANY(ARRAY("), ids, peewee.SQL("))")))
    return Ticket.id.in_(ids)


def _walk_seconds(queries: Sequence[str]) -> float:
    """Return how long a walk is worth a try; 0 for a query whose matches are few.

    SQLite has no estimate, and its desks are small.
    """
    if not database.is_postgres():
        return 0.0
    together, *alone, documents = _estimates(matching.all_of(queries), *queries)
    most = max(gathered_max, gathered_share_max * documents)
    if together > most:
        return walk_s
    return doubtful_walk_s if len(queries) > 1 and min(alone) > most else 0.0


def _rarest(trigrams: Sequence[str]) -> Sequence[str]:
    """Return the trigrams that the planner expects in the fewest documents, at most `trigrams_max`.

    Every address of a provider has the trigrams of its domain. Reading their entries for 100,000 documents takes 14 ms;
    the four rarest trigrams of `customer12.exam` name the same 175 documents in 0.5 ms.
    """
    if len(trigrams) <= trigrams_max:
        return trigrams
    *alone, _ = _estimates(*map(matching.token_query, trigrams))
    return [trigram for _, trigram in sorted(zip(alone, trigrams, strict=True))[:trigrams_max]]


def _estimates(*queries: str) -> list[int]:
    """Return the planner's estimates of the documents that match each query, and of all documents."""
    named = {f"query{index}": query for index, query in enumerate(queries)}
    matching_each = [f"SELECT 1 FROM search_documents WHERE tokens @@ CAST(:{NAME} AS tsquery)" for NAME in named]
    union = " UNION ALL ".join([*matching_each, "SELECT 1 FROM search_documents"])
    [row] = database.run(f"EXPLAIN (FORMAT JSON) {union}", named)
    found = row["QUERY PLAN"]
    plans = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]["Plans"]
    return [int(plan["Plan Rows"]) for plan in plans]
