"""The database: connections, statements, tables, and its clock."""
