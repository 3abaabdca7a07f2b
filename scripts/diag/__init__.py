"""The state of the desk on one page, with the actions that an operator must take.

Each part checks one dependency of the desk. It reports its state and the necessary action, if any. A part that cannot
be read is one line, because operators need the page most during an outage.
"""
