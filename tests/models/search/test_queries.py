"""No query is beyond the parser, and none makes a statement that the engine refuses."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.kernel.errors import Invalid
from models.kernel.storage import database
from models.search import finding, searching
from models.search.syntax import parsing, tree
from models.search.syntax.lexing import OperatorPiece
from models.ticket_lists.filters import TicketFilter
from models.visibility.sight import DESK
from tests.desk import Desk

_PIECES = st.sampled_from(
    [
        *(
            "(",
            ")",
            '"',
            "'",
            "-",
            "--",
            "OR",
            "AND",
            "NOT",
            "|",
            "*",
            ":",
            ",",
            "..",
            "<",
            ">",
            "\\",
            "&",
            "!",
            "%",
            "_",
        ),
        *("state:new", "tag:vip,x", 'tag:"a b"', "created:<2h", "due:>3d", "is:unanswered", "has:file", "from:ada"),
        *("field.product:x", "field.:", "created:2026-01-01..", "updated:..2026-01-01", "priority:high", "team:none"),
        *(
            "fire",
            "printer*",
            "принтер",
            "東京",
            "京",
            "a",
            "1042",
            "#1042",
            "ada@example.com",
            "INV-1/2",
            "e\u0301",
            "\x00",
        ),
    ]
)
QUERIES = st.one_of(
    st.text(max_size=80),
    st.lists(st.one_of(_PIECES, st.text(max_size=6)), max_size=14).flatmap(
        lambda pieces: st.sampled_from([" ".join(pieces), "".join(pieces)])
    ),
)


def any_operator(piece: OperatorPiece) -> tree.Operator:
    return tree.Operator(piece.name, piece.values)


@given(QUERIES)
def test_every_text_is_a_query_or_beyond_a_bound(text: str) -> None:
    try:
        query = parsing.parse(text, any_operator)
    except Invalid:  # beyond a bound
        return

    assert isinstance(tree.in_words(query.node), str)
    assert len(list(tree.terms(query.node))) <= parsing.terms_max


@given(st.lists(_PIECES, max_size=10).map(" ".join))
def test_the_understood_query_means_the_same(text: str) -> None:
    node = parsing.parse(text.replace("*", ""), any_operator).node
    again = parsing.parse(tree.in_words(node), any_operator).node

    assert tree.in_words(again) == tree.in_words(node)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES)
def test_every_query_runs_or_is_refused_as_invalid(desk: Desk, query: str) -> None:
    try:
        with database.connection():
            search = searching.read(query, wanted=TicketFilter(), sight=DESK).search
            finding.page(search, sort="-updated_at", after=None, limit=2)
            finding.by_relevance(search, after=None, limit=2)
            finding.count(search, most=5)
    except Invalid:
        pass
