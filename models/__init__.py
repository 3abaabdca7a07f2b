"""The domain of the desk: rules, commands, queries and tables.

Knows the database; knows neither HTTP nor RabbitMQ, so the same decisions hold for a web request,
a worker and a script. Each area is a package with the same file names (tables, rules, commands, queries).
"""
