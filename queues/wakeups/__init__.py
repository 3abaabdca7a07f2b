"""Wake-ups: a message to the broker that says no more than a task's id, sent after the commit without holding anybody up.

A wake-up may be lost or doubled without harm: the sweep sends it again, and the claim drops the second.
"""
