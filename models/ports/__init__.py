"""Ports: the types by which the domain and the channels speak to each other.

`inbound` has what an adapter's ingress and parser give, `outbound` what its sender gets and answers. The types clean
their own texts (`guards`), so that hostile text never reaches the database. They import nothing of the domain: an
adapter needs no area, and every area may use them.
"""
