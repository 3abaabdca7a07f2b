"""Views: saved filters with columns and an order, of a person, of a team, or of everyone.

The shipped views are code, the others rows. A view keeps the words of its filter, not ids of a moment: `me` is whoever
looks. Invariants: a view shows each caller only tickets that the caller sees; a view whose filter names something that
the desk does not have any more says so, and the others go on.
"""
