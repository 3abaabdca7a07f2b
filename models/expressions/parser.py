"""Reads the part of CEL that definitions may use (CEL specification, "Syntax"): a bounded recursive descent with
positions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

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
    children,
)

depth_max = 40  # of nested parentheses, lists and calls: deeper, nobody can read it and the library's stack ends
tokens_max = 1_000
# From the root of the tree to its deepest leaf. A chain such as `a || b || c` is as high as it is long. What walks the
# tree takes up to two of Python's 1,000 stack frames for each level.
height_max = 250

MACROS = ("all", "exists", "exists_one", "filter", "map")
_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|//[^\n]*)
    |(?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    |(?P<int>\d+)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()\[\]{}])""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "`": "`", "?": "?"}
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">", "in")
_LEVELS: tuple[tuple[str, ...], ...] = (("||",), ("&&",), _COMPARISONS, ("+", "-"), ("*", "/", "%"))


class ExpressionError(ValueError):
    """The text is no expression that definitions may use. `offset`: where in the text."""

    def __init__(self, offset: int, message: str) -> None:
        self.offset, self.message = offset, message
        super().__init__(f"at character {offset + 1}: {message}")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def end(self) -> int:
        return self.at + len(self.text)


def _tokens(source: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ExpressionError(at, f"expected a name, a value or an operator, found {source[at : at + 10]!r}")
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(_Token(kind, match[0], at))
        at = match.end()
    if len(found) > tokens_max:
        raise ExpressionError(found[tokens_max].at, f"expected at most {tokens_max} words and signs")
    found.append(_Token("end", "", len(source)))
    return found


@lru_cache(maxsize=2048)
def parse(source: str) -> Node:
    """Return the tree of an expression. Raises ExpressionError."""
    return _Parser(source).whole()


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens = _tokens(source)
        self._next = 0
        self._depth = 0

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _is(self, *signs: str) -> bool:
        return self._token.kind in ("sign", "name") and self._token.text in signs

    def _take(self) -> _Token:
        token = self._token
        self._next += 1
        return token

    def _expect(self, sign: str) -> _Token:
        if not self._is(sign):
            raise ExpressionError(self._token.at, f"expected {sign!r}, found {self._found()}")
        return self._take()

    def _found(self) -> str:
        return repr(self._token.text) if self._token.kind != "end" else "the end"

    def whole(self) -> Node:
        node = self._expression()
        if self._token.kind != "end":
            raise ExpressionError(self._token.at, f"expected an operator or the end, found {self._found()}")
        level, height = [node], 0
        while level := [child for one in level for child in children(one)]:
            height += 1
            if height > height_max:
                message = (
                    f"expected at most {height_max} operators or members in a row; use a list and `in`, or parentheses"
                )
                raise ExpressionError(level[0].at, message)
        return node

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > depth_max:
            raise ExpressionError(self._token.at, f"expected at most {depth_max} levels of nesting")
        node = self._binary(0)
        if self._is("?"):
            self._take()
            yes = self._binary(0)
            self._expect(":")
            no = self._expression()
            node = Choice(node, yes, no, node.at, no.end)
        self._depth -= 1
        return node

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._is(*_LEVELS[level]):
            operator = self._take().text
            right = self._binary(level + 1)
            left = Binary(operator, left, right, left.at, right.end)
        return left

    def _unary(self) -> Node:
        if self._is("!", "-"):
            sign = self._take()
            self._depth += 1
            if self._depth > depth_max:
                raise ExpressionError(sign.at, f"expected at most {depth_max} levels of nesting")
            operand = self._unary()
            self._depth -= 1
            return Unary(sign.text, operand, sign.at, operand.end)
        return self._member()

    def _member(self) -> Node:
        node = self._primary()
        while True:
            if self._is("."):
                self._take()
                name = self._name("a name after the point")
                if self._is("("):
                    arguments, end = self._arguments()
                    node = Call(name.text, node, arguments, node.at, end)
                else:
                    node = Member(node, name.text, node.at, name.end)
            elif self._is("["):
                self._take()
                key = self._expression()
                node = Index(node, key, node.at, self._expect("]").end)
            else:
                return node

    def _name(self, expected: str) -> _Token:
        if self._token.kind != "name" or self._token.text == "in":
            raise ExpressionError(self._token.at, f"expected {expected}, found {self._found()}")
        return self._take()

    def _arguments(self) -> tuple[tuple[Node, ...], int]:
        self._expect("(")
        items = self._items(")")
        return items, self._expect(")").end

    def _items(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._is(closing):
            items.append(self._expression())
            if not self._is(","):
                break
            self._take()
        return tuple(items)

    def _primary(self) -> Node:
        token = self._token
        match token.kind:
            case "int":
                self._take()
                if int(token.text) >= 2**63:
                    raise ExpressionError(token.at, "expected a whole number of at most 63 bits")
                return Literal(int(token.text), token.at, token.end)
            case "float":
                self._take()
                return Literal(float(token.text), token.at, token.end)
            case "text":
                self._take()
                return Literal(_unquoted(token), token.at, token.end)
            case "name":
                return self._named()
        if self._is("("):
            self._take()
            node = self._expression()
            # With its parentheses, so that a part that is cut out of the text reads alone.
            return replace(node, at=token.at, end=self._expect(")").end)
        if self._is("["):
            self._take()
            items = self._items("]")
            return ListOf(items, token.at, self._expect("]").end)
        if self._is("{"):
            return self._map()
        raise ExpressionError(token.at, f"expected a value, found {self._found()}")

    def _named(self) -> Node:
        token = self._take()
        if token.text in ("true", "false", "null"):
            return Literal({"true": True, "false": False, "null": None}[token.text], token.at, token.end)
        if token.text in _RESERVED or token.text == "in":
            raise ExpressionError(token.at, f"{token.text!r} is a reserved word")
        if self._is("("):
            arguments, end = self._arguments()
            return Call(token.text, None, arguments, token.at, end)
        return Name(token.text, token.at, token.end)

    def _map(self) -> Node:
        start = self._take()
        entries: list[tuple[Node, Node]] = []
        while not self._is("}"):
            key = self._expression()
            self._expect(":")
            entries.append((key, self._expression()))
            if not self._is(","):
                break
            self._take()
        return MapOf(tuple(entries), start.at, self._expect("}").end)


def _unquoted(token: _Token) -> str:
    def replaced(match: re.Match[str]) -> str:
        escaped = match[1]
        if escaped not in _ESCAPES:
            raise ExpressionError(token.at + 1 + match.start(), f"unknown escape \\{escaped}")
        return _ESCAPES[escaped]

    return re.sub(r"\\(.)", replaced, token.text[1:-1], flags=re.DOTALL)
