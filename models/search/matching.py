"""Turn the words and phrases of a query into conditions on documents.

`index_query` is in the language of the engine's index and may find too many documents: the index knows neither the
order of words nor identifiers. `exact` decides for one document. Both engines compare the same tokens and texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import peewee

from models.kernel.storage import database
from models.search.index.documents import NOTE, NUMBER, PLAIN, TITLE, TYPE, of_field
from models.search.scope import Scope
from models.search.syntax import tree
from models.search.tables import SearchDocument
from models.search.text import identifiers

Condition = Any
# The condition of an operator, over the tickets of the query.
OperatorCondition = Callable[[tree.Operator], Condition]
_TRUE, _FALSE = "1 = 1", "1 = 0"


def index_query(node: tree.Node, scope: Scope, *, parts: bool = True) -> str | None:
    """Return the index's query that finds at least the documents of the node; None if that is every document.

    Without `parts` it does not look into identifiers.
    """
    match node:
        case tree.Text():
            return _any([*_word_queries(node, scope), *(_part_queries(node, scope) if parts else ())])
        case tree.All():
            found = [query for one in node.nodes if (query := index_query(one, scope, parts=parts)) is not None]
            return _all(found) if found else None
        case tree.Any():
            queries = [index_query(one, scope, parts=parts) for one in node.nodes]
            return _any([one for one in queries if one is not None]) if queries and None not in queries else None
    return None


def index_queries(node: tree.Node, scope: Scope, rarest: Callable[[Sequence[str]], Sequence[str]]) -> Sequence[str]:
    """Return queries of the index of which a document must match one; none if every document may.

    PostgreSQL reads the index for each of them. Within one query, the frequent trigrams of a part of an address would
    be read from end to end: GIN skips entries by the rarest token only while no alternative stands beside it.

    `rarest` returns the tokens to look for out of all trigrams of a part; documents with all of them are compared with
    the part itself.
    """
    if isinstance(node, tree.Text) and node.part is not None and database.is_postgres():
        trigrams = rarest(sorted(identifiers.trigrams(node.part)))
        return [_any([*_word_queries(node, scope)]), *_queries_of(trigrams, scope)]
    query = index_query(node, scope)
    return [] if query is None else [query]


def exact(node: tree.Node, scope: Scope, of_operator: OperatorCondition) -> Condition:
    """Return the condition of the node on a document, and by `of_operator` on its ticket."""
    match node:
        case tree.Text():
            return _text(node, scope)
        case tree.Operator():
            return of_operator(node)
        case tree.Not():
            inner = exact(node.node, scope, of_operator)
            # A condition on an empty column is unknown, and its negation as well.
            return peewee.NodeList((peewee.SQL("("), inner, peewee.SQL(") IS NOT TRUE")))
        case tree.All() | tree.Any():
            glue = " AND " if isinstance(node, tree.All) else " OR "
            inside = [exact(one, scope, of_operator) for one in node.nodes]
            return joined(inside, glue) if inside else peewee.SQL(_TRUE if isinstance(node, tree.All) else _FALSE)
    raise AssertionError(node)


def matches(query: str) -> Condition:
    """Return the condition that a document's tokens match a query of the index."""
    if database.is_postgres():
        return peewee.NodeList((SearchDocument.tokens, peewee.SQL("@@ CAST(%s AS tsquery)", (query,))))
    found = peewee.SQL("IN (SELECT rowid FROM search_tokens WHERE search_tokens MATCH ?)", (query,))
    return peewee.NodeList((SearchDocument.number, found))


def all_of(queries: Sequence[str]) -> str:
    """Return the query of the index for what all queries find."""
    return _all(queries)


def token_query(token: str) -> str:
    """Return the query of the index for one token."""
    return _lexeme(token)


def number_query(text: tree.Text) -> str | None:
    """Return the index's query for the ticket whose number the text is, or None."""
    number = text.raw.lstrip("#")
    return _lexeme(f"{NUMBER}{int(number)}") if number.isascii() and number.isdigit() else None


def title_query(texts: Sequence[tree.Text]) -> str:
    """Return the index's query for tickets whose title has the words of all texts."""
    return _all([_lexeme(TITLE + stem, begins=_begins(text)) for text in texts for stem in text.stems])


def _begins(text: tree.Text) -> bool:
    return text.beginning is not None


def _word_queries(text: tree.Text, scope: Scope) -> Iterator[str]:
    """One query for each kind of text that the caller may read."""
    for namespace in ("", *((NOTE,) if scope.notes else ())):
        yield _words(text, namespace)
    for name, hiding in scope.fields.items():
        yield _guarded(_words(text, of_field(name)), hiding)


def _words(text: tree.Text, namespace: str) -> str:
    found = _all([_lexeme(namespace + stem) for stem in text.stems])
    if text.beginning is None:
        return found
    begun = (_lexeme(namespace + kind + text.beginning, begins=True) for kind in ("", PLAIN))
    return _any([found, *begun])


def _guarded(query: str, hiding: Sequence[str]) -> str:
    """The query without documents of tickets whose type hides the field, or hid it from an earlier type on."""
    if not hiding:
        return query
    hidden = _any([_lexeme(TYPE + one) for one in hiding])
    return f"({query} & !{hidden})" if database.is_postgres() else f"({query} NOT {hidden})"


def _part_queries(text: tree.Text, scope: Scope) -> Iterator[str]:
    if text.part is None:
        return
    yield from _queries_of(sorted(identifiers.trigrams(text.part)), scope)


def _queries_of(trigrams: Sequence[str], scope: Scope) -> Iterator[str]:
    for namespace in ("", *((NOTE,) if scope.notes else ())):
        yield _all([_lexeme(namespace + trigram) for trigram in trigrams])


def _text(text: tree.Text, scope: Scope) -> Condition:
    queries = list(_word_queries(text, scope))
    if len(text.stems) == 1:
        found = [matches(_any(queries))]
    else:
        # The index first, because it needs less of the document than the comparison of texts.
        found = [joined([matches(_any(queries)), joined(list(_phrases(text, scope)), " OR ")], " AND ")]
    if text.part is not None:
        found.append(_holds(SearchDocument.names, text.part))
        if scope.notes:
            found.append(_holds(SearchDocument.note_names, text.part))
    return joined(found, " OR ")


def _phrases(text: tree.Text, scope: Scope) -> Iterator[Condition]:
    """The words one after another, in each kind of text that the caller may read."""
    yield _holds(SearchDocument.texts, f" {' '.join(text.stems)} ")
    if scope.notes:
        yield _holds(SearchDocument.notes, f" {' '.join(text.stems)} ")
    for name, hiding in scope.fields.items():
        space = of_field(name)
        found = _holds(SearchDocument.fields, f" {' '.join(space + stem for stem in text.stems)} ")
        if hiding:
            found = joined([found, matches(_guarded(_words(text, space), hiding))], " AND ")
        yield found


def _holds(column: Any, text: str) -> Condition:
    function = "strpos" if database.is_postgres() else "instr"
    return getattr(peewee.fn, function)(column, text) > 0


def joined(conditions: Sequence[Condition], glue: str) -> Condition:
    """Return conditions as one."""
    return conditions[0] if len(conditions) == 1 else peewee.NodeList(conditions, glue=glue, parens=True)


def _lexeme(token: str, *, begins: bool = False) -> str:
    """A token in the index's language. Tokens have no quotation marks, but a name of a type could."""
    if database.is_postgres():
        quoted = token.replace("\\", "\\\\").replace("'", "''")
        return f"'{quoted}':*" if begins else f"'{quoted}'"
    quoted = token.replace('"', '""')
    return f'"{quoted}"*' if begins else f'"{quoted}"'


def _all(queries: Sequence[str]) -> str:
    glue = " & " if database.is_postgres() else " AND "
    return queries[0] if len(queries) == 1 else f"({glue.join(queries)})"


def _any(queries: Sequence[str]) -> str:
    glue = " | " if database.is_postgres() else " OR "
    return queries[0] if len(queries) == 1 else f"({glue.join(queries)})"


def ids(queries: Sequence[Sequence[str]], condition: Condition | None) -> Any:
    """Return the composed query of the ids of tickets whose documents match one query of each group."""
    single = [group[0] for group in queries if len(group) == 1]
    groups = [group for group in queries if len(group) > 1]
    needed = [*([matches(all_of(single))] if single else [])]
    needed += [joined([matches(one) for one in group], " OR ") for group in groups]
    found = SearchDocument.select(SearchDocument.ticket_id).where(joined(needed, " AND "))
    return found if condition is None else found.where(condition)


def of_ticket(ticket_id: Any, condition: Condition) -> Condition:
    """Return the condition that a ticket's document meets a condition; a ticket without a document does not.

    A value, not EXISTS, so PostgreSQL tests it ticket by ticket in the order of the list.
    """
    return SearchDocument.select(condition).where(SearchDocument.ticket_id == ticket_id)
