"""Habits of the source that a reviewer would have to ask for again and again."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from models.kernel.telemetry import logs
from tests.architecture.code import Module, dotted, modules

CLOCKS = {
    "models/kernel/clock.py": "the one source of the instant",
    "models/kernel/telemetry/logs.py": "log lines carry the machine's time, also when a test moves the desk's",
}
# Programs of their own that play the outside world, which has its own clock.
OUTSIDE_WORLD = ("scripts.sandbox", "scripts.bench")
_NOW = (
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "datetime.utcfromtimestamp",
    "time.time",
)


def test_only_the_clock_knows_what_time_it_is() -> None:
    """A second source of time cannot be moved: its SLA breach takes a day to test, and the two
    disagree in the sandbox.
    """
    asked = [
        f"{module.at(call.lineno)} {dotted(call.func)}"
        for module in modules()
        if module.shown not in CLOCKS and not module.name.startswith(OUTSIDE_WORLD)
        for call in module.calls()
        if dotted(call.func).endswith(_NOW)
    ]

    assert asked == []


def test_no_instant_is_naive() -> None:
    """A naive instant means another hour on another machine; comparing it with ours raises in production, not here."""
    naive = [
        f"{module.at(call.lineno)} {dotted(call.func)}"
        for module in modules()
        for call in module.calls()
        if _naive(call)
    ]

    assert naive == []


def _naive(call: ast.Call) -> bool:
    name = dotted(call.func).rpartition(".")[2]
    keywords = {k.arg: k.value for k in call.keywords}
    if name == "datetime":
        return len(call.args) < 8 and "tzinfo" not in keywords
    if name == "fromtimestamp":
        return len(call.args) < 2 and "tz" not in keywords
    if name in ("utcnow", "utcfromtimestamp", "DateTimeField", "DateField", "TimeField"):
        return True
    tzinfo = keywords.get("tzinfo")
    return name == "replace" and isinstance(tzinfo, ast.Constant) and tzinfo.value is None


_EVENT = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")


def _log_calls(module: Module) -> Iterator[ast.Call]:
    """`log.info(...)` and `(log.debug if quiet else log.info)(...)`."""
    for call in module.calls():
        targets = [call.func.body, call.func.orelse] if isinstance(call.func, ast.IfExp) else [call.func]
        if all(re.fullmatch(r"log\.(debug|info|warning|error)", dotted(target)) for target in targets):
            yield call


def test_log_lines_have_constant_event_names() -> None:
    """A name with a value inside cannot be counted, found or alerted on, and carries the value past the list of
    forbidden fields.
    """
    calls = [(module, call) for module in modules("models", "queues", "functions") for call in _log_calls(module)]
    assert len(calls) > 10, "the test finds the log calls"

    wrong = [
        f"{module.at(call.lineno)} {ast.unparse(call)[:80]}"
        for module, call in calls
        if len(call.args) != 1
        or not isinstance(call.args[0], ast.Constant)
        or not _EVENT.match(str(call.args[0].value))
    ]

    assert wrong == []


def test_log_lines_name_no_field_that_holds_what_people_wrote() -> None:
    """Logs are read by more people, and kept for longer, than tickets (ARCHITECTURE.md, "What never happens")."""
    wrong = [
        f"{module.at(call.lineno)} {keyword.arg}"
        for module in modules("models", "queues", "functions")
        for call in _log_calls(module)
        for keyword in call.keywords
        if keyword.arg in logs._FORBIDDEN
    ]

    assert wrong == []


def test_print_and_logging_go_through_ours() -> None:
    """A line past models.kernel.telemetry.logs is not JSON, has no request id, and nobody looks at what it holds."""
    wrong = [
        f"{module.at(call.lineno)} {dotted(call.func)}"
        for module in modules("models", "queues", "functions")
        for call in module.calls()
        if dotted(call.func) in ("print", "logging.info", "logging.warning", "logging.error", "logging.debug")
    ]

    assert wrong == []


_SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\s")
# Parts of a statement, made from our own constants.
_SQL_WORDS = frozenset(
    {
        "places",
        "names",
        "columns",
        "column",
        "table",
        "tables",
        "condition",
        "conditions",
        "where",
        "assignments",
        "settings",
        "changes",
        "conflict",
        "back",
        "returning",
        "index",
        "order",
        "direction",
        "every",
        "tolerance",
    }
)


def test_no_value_is_written_into_a_statement() -> None:
    """What a stranger wrote must never be read as SQL. Names and parts of statements may be put together; values are
    bound.
    """
    wrong = [
        f"{module.at(text.lineno)} {{{ast.unparse(hole.value)}}}"
        for module in modules()
        for text in ast.walk(module.tree)
        if isinstance(text, ast.JoinedStr) and _SQL.search(_constant_text(text))
        for hole in text.values
        if isinstance(hole, ast.FormattedValue) and not _is_part_of_sql(hole.value)
    ]

    assert wrong == []


def test_no_statement_quotes_what_is_put_in() -> None:
    """`'{x}'` is a value by its quotes, whatever it is called."""
    wrong = [
        module.at(text.lineno)
        for module in modules()
        for text in ast.walk(module.tree)
        if isinstance(text, ast.JoinedStr) and _SQL.search(_constant_text(text)) and "'\0" in _constant_text(text)
    ]

    assert wrong == []


def _constant_text(text: ast.JoinedStr) -> str:
    """The text with each hole as a null character."""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in text.values)


def _is_part_of_sql(node: ast.expr) -> bool:
    if isinstance(node, ast.BoolOp):
        return all(_is_part_of_sql(value) for value in node.values)
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Name):
        return node.id in _SQL_WORDS or node.id.lstrip("_").isupper()
    if isinstance(node, ast.Call):
        join = isinstance(node.func, ast.Attribute) and node.func.attr == "join"
        return join or all(isinstance(argument, ast.Constant) for argument in node.args)
    return False


def test_every_bound_says_its_reason() -> None:
    """A number without a reason cannot be changed: nobody knows what it protects."""
    checked = modules("models/kernel")
    (limits,) = [module for module in checked if module.name == "models.kernel.limits"]
    commented = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(limits.text).readline)
        if token.type == tokenize.COMMENT and not token.string.startswith("# --")
    }
    lines = limits.text.splitlines()

    silent = [
        ast.unparse(node)
        for node in limits.tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and ast.unparse(node) != "MIB = 1024 * 1024"  # a unit
        and not commented & set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        and not (node.lineno - 1 in commented and lines[node.lineno - 2].startswith("#"))
    ]

    assert silent == []


def test_every_module_says_why_it_exists() -> None:
    """Who opens a file learns in one sentence what breaks without it."""
    assert [m.shown for m in modules() if not ast.get_docstring(m.tree)] == []


_IGNORE = re.compile(r"# type: ignore(\[[a-z-, ]+\])?(?P<reason>.*)")


def test_an_ignored_type_error_says_why() -> None:
    """Without a reason nobody dares to remove it, and it hides the next error on its line."""
    silent = [
        module.at(number)
        for module in modules("models", "queues", "functions")
        for number, line in enumerate(module.text.splitlines(), 1)
        if (match := _IGNORE.search(line)) and ("[" not in match[0] or len(match["reason"]) < 8)
    ]

    assert silent == []


LINES_MAX = 350  # a file is read in one go
# Longer on purpose, each with its own bound.
LONG_FILES = {
    "tests/models/events/test_catalogue.py": 420,  # every event once, as a row of one table
    "models/identity/rules.py": 400,  # every permission and shipped role, to compare them in one place
    "models/ticket_actions/commands.py": 480,  # every verb of a ticket, in one place to compare them
    "tests/models/identity/test_sessions.py": 400,  # sign-in, renewal and theft: one protocol
    "tests/models/workflow/test_engine.py": 430,  # the engine rule by rule
    "tests/desk.py": 450,  # one fixture's vocabulary; read by looking a word up
    "tests/queues/test_failure_matrix.py": 600,  # the failure matrix, row by row
}


def test_files_are_short_enough_to_be_read() -> None:
    long = {
        module.shown: lines
        for module in modules("models", "queues", "functions", "scripts", "tests")
        if (lines := module.text.count("\n")) > LONG_FILES.get(module.shown, LINES_MAX)
    }

    assert long == {}
