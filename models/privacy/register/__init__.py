"""The register of personal data: for every column that can hold text, what the export and the erasure do with it.

The export and the erasure read the register, so it is their specification and not a description of them. The test
tests/architecture/test_personal_data.py fails for a text, JSON or bytes column without an entry.

To add a column: choose one of the entries of `treatments.py` and add it under the table's name in `conversation.py`,
`person.py` or `desk.py`. A column with the words, the address or the name of a requester is `exported()` or `erased()`,
and the export and the erasure then need to find its rows. All other columns say why they stay.
"""
