"""The REST API /v1, for people and machines.

app.py collects the operations. Rooms: `auth` (sign-ins and the own account), `staff` (users, roles, keys, teams),
`requester`, `ticket`, `definition` (life cycles and the information model), `operating` (inbox, deliveries, tasks,
channels, webhooks, audit). sights.py says which tickets a caller sees.
"""
