"""Publishing: a folder of definitions is read as a whole, checked against itself and what is in force, and becomes the
next versions.

`catalogue` reads and checks files, `bundle` reads texts that are sent together, `translations` finds texts that lack a
language of the desk, `plan` counts the effects, `publishing` writes versions, `dependents` finds published definitions
that a publication would break, `retirement` finds definitions whose file is gone, `workflows` gives programs the
published workflows. Invariant: a published definition passed every check, together with all that it refers to and all
that refers to it.
"""
