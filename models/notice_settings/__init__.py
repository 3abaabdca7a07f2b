"""The choices of each user about notices: the ways for each kind, quiet hours, digests, time zone.

`rules.py` decides when a notice is due. A user without stored settings has the defaults. Invariant: the list of
a user does not depend on these settings; they only choose the further ways.
"""
