"""The small framework on Falcon that every function uses.

An `Operation` is declared once: its path, permission, body, query and answers give routing, validation, the
guard and the OpenAPI document. `web` makes the application of operations, `problems` turns errors into RFC
9457 answers, `runtime` owns what a process needs besides.
"""
