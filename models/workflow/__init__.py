"""Workflows: versioned YAML definitions, run by a pure engine.

`definition` is the schema of a definition and `checks` holds its rules of consistency. `engine` answers one event with
a step of acts; `execution` has its parts. Nothing here touches the database or the clock; `ticket_workflow/steps.py`
applies the acts. Invariant: no transition happens that the ticket's workflow version does not declare.
"""
