"""The differences of the desk's conditions from CEL: numbers without a value, and division by zero.

CEL cannot compare null with a number, and divides doubles as IEEE 754 does (`1.0 / 0.0` is infinity, and infinity is
greater than every bound). The desk defines both differently: a field without a value compares as 0, and a division by
zero is an error of the rule. The library has no hook for either, so this module rewrites the text that the library
compiles. The text that people read and store stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.expressions.parser import ExpressionError, parse
from models.expressions.tree import Binary, Literal, Node, children, path_of

_COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">=", "in"])
_FIELDS = ("fields.", "ticket.fields.")
# Binds the divisor, so that its text appears once however deep divisions are nested. Definitions cannot use the
# variable by accident: the divisor stands outside of the macro's scope.
_DIVISOR = ("[", "].map(divisor, divisor == 0 ? 1 / 0 : divisor)[0]")


def rewritten(source: str) -> str:
    """Return the text for the library; the source itself when nothing differs or when it is no expression of ours."""
    try:
        tree = parse(source)
    except ExpressionError:
        return source
    found: list[str] = []
    at = 0
    for offset, _, text in sorted(_inserts(source, tree)):
        found += [source[at:offset], text]
        at = offset
    return "".join([*found, source[at:]])


def _inserts(source: str, tree: Node) -> Iterator[tuple[int, int, str]]:
    """Yield the insertions: (offset, order at that offset, text). At one offset, outer texts open
    first and close last.
    """
    stack: list[tuple[Node, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        stack.extend((child, depth + 1) for child in children(node))
        if not isinstance(node, Binary):
            continue
        if node.operator == "/" and not (isinstance(node.right, Literal) and node.right.value):
            yield node.right.at, depth, _DIVISOR[0]
            yield node.right.end, -depth, _DIVISOR[1]
        for operand in _compared(node):
            yield operand.at, depth, "("
            yield operand.end, -depth, f" == null ? 0 : {source[operand.at : operand.end]})"


def _compared(node: Binary) -> Iterator[Node]:
    """Yield the operands of a comparison that are fields, unless the comparison asks for null itself."""
    if node.operator not in _COMPARISONS:
        return
    if any(isinstance(one, Literal) and one.value is None for one in (node.left, node.right)):
        return
    for operand in (node.left,) if node.operator == "in" else (node.left, node.right):
        path = path_of(operand)
        if path is not None and path.startswith(_FIELDS):
            yield operand
