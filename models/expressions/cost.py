"""The cost of one evaluation of an expression: steps and memory, estimated from its tree before it may be published."""

from __future__ import annotations

from collections.abc import Mapping

from models.expressions.parser import MACROS
from models.expressions.tree import Binary, Call, ListOf, MapOf, Name, Node, children

# Steps of one evaluation at the most; a list is taken to have `list_items` items (tags_max of a ticket). Two nested
# loops over lists and some comparisons fit; three do not. 100,000 steps of the library take some milliseconds.
cost_max, list_items = 50_000, 50
# How often one evaluation may copy what it reads. `x + x` in a chain of `map` doubles with each link: 40 links of a
# dozen characters ask for a terabyte, and the library ends the process when memory ends. The usual `t + "!"` over a
# list of ten counts 100.
copies_max = 2_000


def too_much(tree: Node) -> str | None:
    """Say why an evaluation may take too many steps or too much memory, or None."""
    if (found := steps(tree)) > cost_max:
        return f"expected a cost of at most {cost_max} steps, found up to {found}: too many nested loops over lists"
    if copies(tree, {}) > copies_max:
        return f"expected at most {copies_max} copies of a value: each map doubles what + or a list repeats"
    return None


def steps(node: Node) -> int:
    if isinstance(node, Call) and node.of is not None and node.name in MACROS:
        return steps(node.of) + list_items * sum(steps(part) for part in node.arguments[1:])
    # `in`, `size` and `contains` read every item or character once.
    walks = (isinstance(node, Binary) and node.operator == "in") or isinstance(node, Call)
    return (list_items if walks else 1) + sum(steps(child) for child in children(node))


def copies(node: Node, bound: Mapping[str, int]) -> int:
    """Count how many values the result may hold at most, where a name of the environment holds one; capped above
    `copies_max`.
    """
    if isinstance(node, Name):
        return bound.get(node.name, 1)
    if isinstance(node, Call) and node.of is not None and node.name in MACROS and len(node.arguments) == 2:
        found = _copies_of_macro(node, node.of, bound)
    else:
        counts = [copies(child, bound) for child in children(node)]
        joins = isinstance(node, ListOf | MapOf) or (isinstance(node, Binary) and node.operator == "+")
        found = sum(counts) if joins else max(counts, default=1)
    return min(max(found, 1), copies_max + 1)


def _copies_of_macro(node: Call, target: Node, bound: Mapping[str, int]) -> int:
    """Count the copies of a loop: a `map` repeats its expression for each item."""
    of = copies(target, bound)
    variable, inner = node.arguments
    repeated = copies(inner, {**bound, variable.name: of} if isinstance(variable, Name) else bound)
    return of * repeated if node.name == "map" else max(of, repeated)
