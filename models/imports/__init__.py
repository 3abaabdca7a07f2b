"""Moving in and moving out: the data of another desk becomes tickets, and the data of this desk becomes files.

Without it, a new desk starts without its history: an answer to an old mail opens a new ticket, and the numbers begin at
zero. `formats` turns files into records of one form (form.py); `writing` writes a record; `exporting` makes files of
the same form.

Invariants: a record is written whole or not at all, and once, by the id that it has in its source; an import sends
nothing, calls no webhook, starts no timer and lets no life cycle react; instants are those of the file; each line that
was not taken is reported with its place and its reason; logs hold no content.
"""
