"""Search over tickets: words, phrases and operators, by an index of our own.

Without this area a search scans every message. Each ticket has one document (`search_documents`) with the tokens of
its texts, so words of one query may stand in different messages. `text` makes the tokens in Python, so PostgreSQL and
SQLite find the same tickets; `index` writes the documents; `syntax` reads queries; `finding` runs them.

Invariants: a document holds only texts that the ticket shows now; notes and fields have tokens of their own, which a
query contains only if its caller may read them; a search ends within its own time limit.
"""
