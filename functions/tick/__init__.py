"""/tick: cluster-internal; woken by a schedule, it sweeps what is due."""
