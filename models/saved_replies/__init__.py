"""Saved replies: texts with variables that agents use again, of one person, of a team, or of the whole desk.

Invariants: a text is checked when it is stored, by the same rules as the templates of life cycles, so that it can be
rendered for every ticket; a text of a team or of the desk is changed by those who may manage texts; values of a ticket
are data and are never read as a template.
"""
