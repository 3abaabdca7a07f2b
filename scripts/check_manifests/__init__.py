"""Checks `knative/` without a cluster: `python -m scripts.check_manifests [--strict] [folder]`.

A schema finds few of the mistakes that Knative's and KEDA's admission refuses (3 of 17 seeded ones), and
none of those that are accepted and hurt later: a grace period shorter than an actor, a queue that the broker never
declares. So each such mistake is a rule here (R1, R2 ...), and each rule has a bad example as a test.
"""
