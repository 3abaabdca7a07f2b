"""Work after the commit: the broker, the workers, the clock that sweeps, and the channel adapters.

Knows the domain and the providers; functions import only publishing and ingress from here.
"""
