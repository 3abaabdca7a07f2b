"""Reads the event log in one order, for consumers that must see each event exactly once.

Each new event gets a number (`events.log_position`), but transactions do not commit in the order of their numbers. A
reader that only remembers the highest number skips an event that commits late. `reading.py` therefore reads up to a
number only after all transactions that can hold a lower one have ended. Events of releases without numbers come first,
in the order of their ids.

An event that ends each worker that applies it would stop its consumer. `parking.py` finds such an event and parks it
until an operator repeats it.

Invariants: an event below a position never appears later; a consumer's position and the effect of the events up to it
commit together (`consumers.py`).
"""
