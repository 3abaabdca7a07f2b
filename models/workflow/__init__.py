"""Workflows: versioned YAML definitions, run by a pure engine.

`definition` is the shape of a definition and `checks` what must fit together; `engine` answers one event with a step of acts, which
`execution` works out part by part. Nothing here touches the database or the clock; `ticket_workflow/steps.py` applies the acts.
Invariant: no transition happens that the ticket's workflow version does not declare.
"""
