"""One change of many tickets, as a job.

A person selects up to 10,000 tickets and names the acts: changes, a transition, an assignment, a snooze. Without a job,
a client would send a request for each ticket, and nobody could tell which of them were refused.

Invariants: each ticket gets all acts or none, once, whatever process dies in between; each act keeps to the rules of
the ticket's own life cycle and to the rights that the caller has when it runs; every ticket ends with an outcome and
its reasons. An act joins by an entry of `acts.ACTS`.
"""
