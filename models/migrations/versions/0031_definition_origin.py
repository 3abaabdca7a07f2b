"""The origin of each version of a definition: files of the desk's folder, or the API.

`apply` retires a definition whose file was taken away only when its version in force comes from a file.
"""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE definitions ADD COLUMN origin text NOT NULL DEFAULT 'files'",
        # Callers of the API are written as `user:<id>` and `api_key:<id>`, operators by the name of their account.
        "UPDATE definitions SET origin = 'api' WHERE published_by LIKE 'user:%' OR published_by LIKE 'api_key:%'",
    ]
