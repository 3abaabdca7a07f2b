"""The tags of the desk: their counts, descriptions and colours, and changes of a tag on all tickets.

Anybody who writes tickets invents tags, so a desk ends with three spellings of one word; somebody has to put them in
order. Invariants: a tag exists while a ticket has it or somebody described it; a renaming, a merge and a deletion are
bulk changes, so each ticket's history shows them, and they can be undone for an hour.
"""
