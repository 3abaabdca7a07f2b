"""Teams of agents who share work.

Life cycles name teams: the team that may move a ticket, approves it, is notified, or receives tickets.
`workflow_defs/teams.yaml` declares names and labels, so that validation refuses a life cycle with an unknown team. The
members of a team change daily, so only the database stores them.
"""
