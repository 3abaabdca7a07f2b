"""Outgoing webhooks: subscriptions of other programs to the events of the desk.

A subscription has a URL and the event types that it receives. The transaction that writes an event also writes one row
of `webhook_deliveries` and one `deliver_webhook` task for each matching subscription (fan_out.py). No event is
therefore lost, and the desk creates no delivery twice.

Invariants:
- Each subscription has one delivery per event.
- The receiver sees the event's id as the id of the delivery, in all attempts and replays.
- The desk switches off a subscription that fails for days and notifies the admins. It keeps the events of that time as
  `missed` deliveries, which can be replayed.
"""
