"""Acts of people that can be undone for an hour.

An act that a person would want to take back stores the values that restore the state before it, in its own
transaction. Without the record, an undo could only guess which tags, messages or promises the act had changed.

Invariants: an act is undone once at most; after its time it is refused with the reason; an undo changes only the values
that the act itself changed, and names those that changed again since then. What sent something to a person has no undo.

An area adds a kind of act in two steps: `commands.remember` in the transaction of the act, and a `RESTORER` whose
module `restorers.MODULES` names.
"""
