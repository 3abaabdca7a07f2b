"""Types, names and cost of an expression, before it may be published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from models.expressions import conditions, cost
from models.expressions.parser import MACROS, ExpressionError, parse
from models.expressions.tree import (
    Binary,
    Call,
    Choice,
    Index,
    ListOf,
    Literal,
    MapOf,
    Member,
    Name,
    Node,
    Unary,
)
from models.expressions.types import (
    BOOL,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    NUMBERS,
    STRING,
    TIMESTAMP,
    ListType,
    MapType,
    Record,
    Type,
)


@dataclass(frozen=True, slots=True)
class ExpressionProblem:
    """A problem and its offset in the expression's text."""

    offset: int
    message: str


def check(source: str, environment: Mapping[str, Type], *, wanted: Type | None = BOOL) -> list[ExpressionProblem]:
    """List the problems of an expression over the names of `environment`; `wanted` is the type that it must give (None:
    any).
    """
    try:
        tree = parse(source)
    except ExpressionError as error:
        return [ExpressionProblem(error.offset, error.message)]
    checker = _Checker(environment)
    found = checker.type_of(tree, {})
    if wanted is not None and not _fits(found, wanted):
        checker.tell(tree, f"expected {wanted}, found {found}")
    if (message := cost.too_much(tree)) is not None:
        checker.tell(tree, message)
    return checker.problems


def problem(expression: str, environment: Mapping[str, Type]) -> str | None:
    """Describe everything that is wrong with the text of a condition over the names of `environment`; None when nothing
    is.
    """
    if len(expression) > conditions.expression_chars_max:
        return f"expected at most {conditions.expression_chars_max} characters, found {len(expression)}"
    found = check(expression, environment)
    if found:
        return "; ".join(f"at character {one.offset + 1}: {one.message}" for one in found)
    try:
        conditions.compiled(expression)
    except conditions.ConditionError as error:
        return str(error)
    return None


def type_of(source: str, environment: Mapping[str, Type]) -> Type:
    """Return the type of an expression that `check` finds nothing wrong with. Raises ExpressionError."""
    return _Checker(environment).type_of(parse(source), {})


def _fits(found: Type, wanted: Type) -> bool:
    return found in (wanted, DYN) or wanted == DYN or (found in NUMBERS and wanted in NUMBERS)


def _comparable(left: Type, right: Type) -> bool:
    if _fits(left, right) or _fits(right, left) or NULL in (left, right):
        return True
    if isinstance(left, ListType) and isinstance(right, ListType):
        return _comparable(left.of, right.of)
    return isinstance(left, MapType | Record) and isinstance(right, MapType | Record)


def _ordered(left: Type, right: Type) -> bool:
    """Return True if <, <=, > and >= compare the two types."""
    return _fits(left, right) and left not in (BOOL, NULL) and not isinstance(left, ListType | MapType | Record)


_METHODS: dict[str, tuple[Type, tuple[Type, ...], Type]] = {
    "contains": (STRING, (STRING,), BOOL),
    "startsWith": (STRING, (STRING,), BOOL),
    "endsWith": (STRING, (STRING,), BOOL),
    "matches": (STRING, (STRING,), BOOL),
    **dict.fromkeys(
        (
            "getFullYear",
            "getMonth",
            "getDate",
            "getDayOfMonth",
            "getDayOfWeek",
            "getDayOfYear",
            "getHours",
            "getMinutes",
            "getSeconds",
        ),
        (TIMESTAMP, (), INT),
    ),
}
_FUNCTIONS: dict[str, tuple[tuple[Type, ...], Type]] = {
    "duration": ((STRING,), DURATION),
    "timestamp": ((STRING,), TIMESTAMP),
    "int": ((DYN,), INT),
    "double": ((DYN,), DOUBLE),
    "string": ((DYN,), STRING),
}


_TIMES: dict[tuple[str, Type, Type], Type] = {
    ("-", TIMESTAMP, TIMESTAMP): DURATION,
    ("-", TIMESTAMP, DURATION): TIMESTAMP,
    ("+", TIMESTAMP, DURATION): TIMESTAMP,
    ("+", DURATION, TIMESTAMP): TIMESTAMP,
    ("+", DURATION, DURATION): DURATION,
    ("-", DURATION, DURATION): DURATION,
}


class _Checker:
    def __init__(self, environment: Mapping[str, Type]) -> None:
        self._environment = environment
        self.problems: list[ExpressionProblem] = []

    def tell(self, node: Node, message: str) -> Type:
        self.problems.append(ExpressionProblem(node.at, message))
        return DYN

    def type_of(self, node: Node, bound: Mapping[str, Type]) -> Type:
        """Return the type of a node, and collect its problems, each once."""
        handler: Callable[..., Type] = getattr(self, f"_{type(node).__name__.lower()}")
        return handler(node, bound)

    def _literal(self, node: Literal, bound: Mapping[str, Type]) -> Type:
        if isinstance(node.value, bool):
            return BOOL
        known: dict[type, Type] = {int: INT, float: DOUBLE, str: STRING}
        return known.get(type(node.value), NULL)

    def _name(self, node: Name, bound: Mapping[str, Type]) -> Type:
        if node.name in bound:
            return bound[node.name]
        if node.name in self._environment:
            return self._environment[node.name]
        return self.tell(node, f"unknown name {node.name}{_meant(node.name, [*self._environment, *bound])}")

    def _member(self, node: Member, bound: Mapping[str, Type]) -> Type:
        of = self.type_of(node.of, bound)
        if isinstance(of, Record):
            if node.name in of.fields:
                return of.fields[node.name]
            return DYN if of.open else self.tell(node, f"unknown name {node.name}{_meant(node.name, of.fields)}")
        if isinstance(of, MapType):
            return of.of
        return DYN if of == DYN else self.tell(node, f"a {of} has no member {node.name}")

    def _index(self, node: Index, bound: Mapping[str, Type]) -> Type:
        of, key = self.type_of(node.of, bound), self.type_of(node.key, bound)
        if isinstance(of, ListType):
            return of.of if _fits(key, INT) else self.tell(node.key, f"expected a number between [ and ], found {key}")
        if isinstance(of, Record) and isinstance(node.key, Literal) and isinstance(node.key.value, str):
            return self._member(Member(node.of, node.key.value, node.at, node.end), bound)
        if isinstance(of, MapType | Record):
            return of.of if isinstance(of, MapType) else DYN
        return DYN if of == DYN else self.tell(node, f"a {of} has no items")

    def _unary(self, node: Unary, bound: Mapping[str, Type]) -> Type:
        found = self.type_of(node.operand, bound)
        if node.operator == "!":
            return BOOL if _fits(found, BOOL) else self.tell(node.operand, f"! expects bool, found {found}")
        return found if found in (*NUMBERS, DYN) else self.tell(node.operand, f"- expects a number, found {found}")

    def _binary(self, node: Binary, bound: Mapping[str, Type]) -> Type:
        left, right = self.type_of(node.left, bound), self.type_of(node.right, bound)
        operator = node.operator
        if operator in ("&&", "||"):
            for part, found in ((node.left, left), (node.right, right)):
                if not _fits(found, BOOL):
                    self.tell(part, f"{operator} expects bool on both sides, found {found}")
            return BOOL
        if operator in ("==", "!="):
            return BOOL if _comparable(left, right) else self.tell(node, f"{left} and {right} are never equal")
        if operator == "in":
            return self._in(node, left, right)
        if operator in ("<", "<=", ">", ">="):
            return BOOL if _ordered(left, right) else self.tell(node, f"{operator} cannot compare {left} with {right}")
        return self._arithmetic(node, left, right)

    def _in(self, node: Binary, left: Type, right: Type) -> Type:
        if isinstance(right, ListType):
            fits = _comparable(left, right.of)
        else:
            fits = right == DYN or (isinstance(right, MapType | Record) and _fits(left, STRING))
        return BOOL if fits else self.tell(node, f"{left} is never in {right}")

    def _arithmetic(self, node: Binary, left: Type, right: Type) -> Type:
        if DYN in (left, right):
            return DYN
        if (left == right and left in NUMBERS) or (node.operator == "+" and left == right == STRING):
            return left
        if node.operator == "+" and isinstance(left, ListType) and isinstance(right, ListType):
            return left
        found = _TIMES.get((node.operator, left, right))
        if found is not None:
            return found
        hint = "; write 1.0 or double(x)" if left in NUMBERS and right in NUMBERS else ""
        return self.tell(node, f"{node.operator} cannot take {left} and {right}{hint}")

    def _choice(self, node: Choice, bound: Mapping[str, Type]) -> Type:
        condition = self.type_of(node.condition, bound)
        if not _fits(condition, BOOL):
            self.tell(node.condition, f"expected bool before ?, found {condition}")
        yes, no = self.type_of(node.yes, bound), self.type_of(node.no, bound)
        return yes if yes == no else DYN

    def _listof(self, node: ListOf, bound: Mapping[str, Type]) -> Type:
        found = [self.type_of(item, bound) for item in node.items]
        return ListType(found[0] if found and all(one == found[0] for one in found) else DYN)

    def _mapof(self, node: MapOf, bound: Mapping[str, Type]) -> Type:
        for key, value in node.entries:
            self.type_of(key, bound)
            self.type_of(value, bound)
        return MapType(DYN)

    def _call(self, node: Call, bound: Mapping[str, Type]) -> Type:
        if node.of is not None and node.name in MACROS:
            return self._macro(node, bound)
        if node.of is None and node.name == "has":
            return self._has(node, bound)
        found = [self.type_of(argument, bound) for argument in node.arguments]
        if node.name == "size":
            return self._size(node, bound, found)
        signature = self._function(node) if node.of is None else self._method(node, node.of, bound)
        if signature is None:
            return DYN
        wanted, result = signature
        if len(found) != len(wanted):
            return self.tell(node, f"{node.name} expects {len(wanted)} arguments, found {len(found)}")
        for argument, type_, expected in zip(node.arguments, found, wanted, strict=True):
            if not _fits(type_, expected):
                self.tell(argument, f"{node.name} expects {expected}, found {type_}")
        return result

    def _has(self, node: Call, bound: Mapping[str, Type]) -> Type:
        if len(node.arguments) != 1 or not isinstance(node.arguments[0], Member):
            return self.tell(node, "has() expects a path such as event.payload.host")
        self.type_of(node.arguments[0], bound)
        return BOOL

    def _function(self, node: Call) -> tuple[tuple[Type, ...], Type] | None:
        """Return the types of a function's arguments and of its result; None for an unknown one."""
        if node.name not in _FUNCTIONS:
            self.tell(node, f"unknown function {node.name}{_meant(node.name, [*_FUNCTIONS, 'has', 'size'])}")
            return None
        self._literal_time(node)
        return _FUNCTIONS[node.name]

    def _method(self, node: Call, of: Node, bound: Mapping[str, Type]) -> tuple[tuple[Type, ...], Type] | None:
        """Return the types of a method's arguments and of its result; None for an unknown one."""
        found = self.type_of(of, bound)
        if node.name not in _METHODS:
            self.tell(node, f"unknown function {node.name}{_meant(node.name, [*_METHODS, *MACROS])}")
            return None
        target, wanted, result = _METHODS[node.name]
        if not _fits(found, target):
            self.tell(of, f"{node.name} is for {target}, found {found}")
        if node.name == "matches" and not isinstance(node.arguments[0] if node.arguments else None, Literal):
            self.tell(node, "matches expects a pattern in quotes, so that it can be checked")
        return wanted, result

    def _literal_time(self, node: Call) -> None:
        """Find a duration or an instant that the library cannot read now, not at the first ticket."""
        if node.name not in ("duration", "timestamp") or len(node.arguments) != 1:
            return
        argument = node.arguments[0]
        if isinstance(argument, Literal) and isinstance(argument.value, str):
            try:
                conditions.value(f"{node.name}({argument.value!r})", {})
            except conditions.ConditionError:
                example = "72h, 30m or 90s" if node.name == "duration" else "2026-01-31T09:00:00Z"
                self.tell(argument, f"expected a {node.name} such as {example}, found {argument.value!r}")

    def _size(self, node: Call, bound: Mapping[str, Type], found: list[Type]) -> Type:
        of = self.type_of(node.of, bound) if node.of is not None else (found[0] if found else NULL)
        if not (of in (STRING, DYN) or isinstance(of, ListType | MapType | Record)):
            return self.tell(node, f"size expects a text or a list, found {of}")
        return INT

    def _macro(self, node: Call, bound: Mapping[str, Type]) -> Type:
        assert node.of is not None, "a macro is called on something"
        of = self.type_of(node.of, bound)
        variable = node.arguments[0] if node.arguments else None
        if len(node.arguments) != 2 or not isinstance(variable, Name):
            return self.tell(
                node, f"{node.name} expects a name and an expression, such as tags.{node.name}(t, t == 'vip')"
            )
        if not (isinstance(of, ListType | MapType) or of == DYN):
            return self.tell(node.of, f"{node.name} expects a list, found {of}")
        item: Type = of.of if isinstance(of, ListType) else STRING if isinstance(of, MapType) else DYN
        inner = self.type_of(node.arguments[1], {**bound, variable.name: item})
        if node.name == "map":
            return ListType(inner)
        if not _fits(inner, BOOL):
            self.tell(node.arguments[1], f"{node.name} expects bool, found {inner}")
        return of if node.name == "filter" else BOOL


def _meant(name: str, known: Mapping[str, Type] | list[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known)[:20])}" if known else ""
