"""One step of the engine, part by part: the run, its effects, clocks, guards, approvals and reactions.

Each module imports only those before it: run, sla_promises, effects, transitions, guards, approvals,
reactions. `engine.py` is the door.
"""
