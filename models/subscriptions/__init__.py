"""Outgoing webhooks: other programs that want to hear what happens at the desk.

A subscription names a URL and the types of events it wants; each matching event becomes one row of `webhook_deliveries`
and one `deliver_webhook` task in the transaction that writes the event (fan_out.py), so that none is lost and none is
told twice by us. Invariants: one delivery per subscription and event; its id towards the receiver is the event's, over
all attempts and replays; a subscription that fails for days is switched off, visibly, and what happened meanwhile is
kept as `missed` to be replayed.
"""
