"""One PostgreSQL database for many tests, put back as it was after each.

A new database a test costs 0.4 s here (a thousand small files), putting rows back 5 ms. Rows, sequences and tables that a
test made are restored; what changes a table's shape belongs into an empty database of its own.
"""

from __future__ import annotations

from typing import Any

import psycopg2


class PristineDatabase:
    """Remembers the content of a database (in a schema of its own, `pristine`) and restores it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._tables: list[str] = []
        self._sequences: list[tuple[str, int, bool]] = []
        with _Administrator(url) as admin:
            admin.run("CREATE SCHEMA pristine")
            self._tables = admin.tables()
            for table in self._tables:
                admin.run(f"CREATE TABLE pristine.{table} AS TABLE public.{table}")
            names = admin.column("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
            for name in names:
                [(value, called)] = admin.run(f"SELECT last_value, is_called FROM public.{name}")
                self._sequences.append((name, value, called))

    def restore(self) -> None:
        """Cut off whoever is still connected and put everything back."""
        with _Administrator(self.url) as admin:
            admin.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            made = [table for table in admin.tables() if table not in self._tables]
            statements = [f"DROP TABLE public.{table} CASCADE" for table in made]
            statements.append("SET session_replication_role = replica")  # foreign keys hold again at the end
            for table in self._tables:
                statements.append(f"DELETE FROM public.{table}")
                statements.append(f"INSERT INTO public.{table} SELECT * FROM pristine.{table}")
            for name, value, called in self._sequences:
                statements.append(f"SELECT setval('public.{name}', {value}, {called})")
            admin.run("; ".join(statements))


class _Administrator:
    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url, application_name="pristine")
        self._connection.autocommit = True

    def __enter__(self) -> _Administrator:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def column(self, statement: str) -> list[Any]:
        return [row[0] for row in self.run(statement)]

    def tables(self) -> list[str]:
        return self.column("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
