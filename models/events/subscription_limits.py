"""The bounds of subscriptions, each with its reason."""

from __future__ import annotations

# Standard Webhooks advises receivers to answer within 15 s: accept first, work later.
call_total_s = 15.0
# A reachable host answers in far less. Part of `call_total_s`.
connect_s = 5.0
# The part of a response in the attempt log: enough for an error message, not for a page.
response_chars_kept = 500
# Subscriptions of one desk. Each is a row in the join of every event.
subscriptions_max = 100
# Event types of one subscription; `*` subscribes to all.
event_types_max = 100
# One line of a list.
description_chars_max = 200
# Two secrets sign during a rotation: a receiver has a day to change over.
rotation_s = 24 * 3600.0
# A receiver that accepts nothing for three days is switched off.
failing_s_max = 3 * 24 * 3600.0
# Single failures are retried one by one; after three in a row the receiver rests.
failures_before_rest = 3
# The rest doubles. At most a quarter of an hour, so that a receiver that is back is noticed soon.
rest_s_min, rest_s_max = 5.0, 900.0
# After a rest one delivery goes alone; the others wait until its outcome is known.
probe_s = call_total_s + 5.0
# Between deliveries that return: a hundred a second, so that a backlog leaves the senders to other work.
return_gap_s = 0.01
# The log answers what a receiver got in the last month. Missed deliveries can be replayed for as long.
delivery_kept_s = 30 * 24 * 3600.0
# Deliveries that one request replays; the next request replays more.
replays_max = 10_000
# Rows of one statement.
replays_written_at_once = 200
