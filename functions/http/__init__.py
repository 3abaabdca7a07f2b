"""The small framework on Falcon that all functions use; README.md explains it.

An `Operation` is declared once: its path, permission, body, query and answers give routing, validation, the guard and
the OpenAPI document. `web` makes the application of operations, `problems` turns errors into RFC 9457 responses,
`runtime` owns the resources of the process.
"""
