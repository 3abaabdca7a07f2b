"""Teams: agents who share work. Life cycles name them: who may move a ticket, who approves, who is told, who is given
tickets.

Names and labels are declared in `workflow_defs/teams.yaml`, so that a definition that names an unknown team is refused;
who belongs to a team changes daily and lives in the database only.
"""
