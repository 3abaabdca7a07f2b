"""Wake-ups: messages to the broker that contain only a task's id, sent after the commit without blocking the caller.

A lost or repeated wake-up does no harm: the sweep sends it again, and the claim refuses the second.
"""
