"""The information model: which fields tickets, requesters and organisations have, as YAML.

A ticket type is a file in `workflow_defs/model/`; publishing it is all that a new field needs, because values live in
one JSON column. Every path by which a value comes in goes through `values.validated`. Invariant: what is kept of a
declared field is valid in some version of its type, in its normal form.
"""
