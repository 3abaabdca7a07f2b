"""Our own front of CEL: syntax with positions, types, cost, what is always true or false, and the parts of a condition.

The library evaluates; it gives no tree, no types and no positions. What this package accepts is a part of CEL that the
library evaluates in the same way (tests compare). Used when definitions are checked and when a decision is explained,
never on the way of a request.
"""
