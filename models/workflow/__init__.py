"""Life cycles: versioned YAML definitions, run by a pure engine.

`definition` reads and checks a definition, `engine.decide` says what follows from an event, `conditions` evaluates CEL. Nothing here
touches the database or the clock; `ticket_workflow/steps.py` carries decisions out. Invariant: no transition happens that the
ticket's workflow version does not declare.
"""
