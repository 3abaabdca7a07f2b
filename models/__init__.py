"""The domain of the desk: rules, commands, queries and tables.

Knows the database; knows neither HTTP nor RabbitMQ, so the same decisions hold for a web request, a worker and a
script. Areas have floors: each imports only areas of lower floors (`tests/architecture/floors.py`). In an area,
`tables` declares its tables, `rules` is pure, `commands` join the caller's transaction, `queries` read; an area has
those that it needs.
"""
