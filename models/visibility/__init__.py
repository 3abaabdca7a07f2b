"""Visibility: which tickets a caller sees, and how much of them.

`sight.py` has the one rule of which tickets are visible, for lists and for single tickets. `seen.py` has the one
function that removes the fields that a role may not see from a ticket, its events and its decisions. Every operation
that shows or changes anything about a ticket uses them. Invariant: a ticket that a caller may not see does not exist
for this caller (404), in no list, count, search, event or notice.
"""
