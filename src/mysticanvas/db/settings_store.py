"""Settings stored in the library, as JSON by name. Names that begin with "state." are internal state, which
the journal does not record."""

import json
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx


def get(tx: ReadTx, name: str, default: Any) -> Any:
    value = tx.value("SELECT value_json FROM settings WHERE name = :name", name=name)
    return default if value is None else json.loads(value)


def put(tx: WriteTx, name: str, value: Any) -> None:
    tx.run(
        """
        INSERT INTO settings (name, value_json)
        VALUES (:name, :value)
            ON CONFLICT (name) DO UPDATE SET value_json = excluded.value_json
        """,
        name=name,
        value=json.dumps(value),
    )
    tx.changes.invalidated.add("settings")
