"""Publishing: a folder of definitions is read as a whole, checked against itself and what is in force, and becomes the
next versions.

`catalogue` reads and checks files, `plan` says what would change, `publishing` writes versions, `workflows`
gives programs the published workflows. Invariant: what is published passed every check, together with
everything that it refers to.
"""
