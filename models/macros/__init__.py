"""Macros: named sequences of acts on a ticket, such as a reply, a tag and a transition.

Invariants: the acts of a macro happen all or not at all, in one transaction; each act follows the same rules as the
same act of a person, with the rights of who applies the macro; a preview runs the acts and takes them back, so it shows
what the life cycle would do as well.
"""
