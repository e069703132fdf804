"""The queue of deliveries: jobs of the kind `hook`."""

import json
from typing import Any

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.features.event_hooks.types import JOB_KIND

# Internal state: no archive and no journal turns a hook on or off.
_DISABLED = "state.hooks.disabled"


def find_open(tx: ReadTx, delivery: str) -> tuple[int, dict[str, Any]] | None:
    """The (id, payload) of the job of a delivery that never started. Only such a delivery may change."""
    row = tx.one(
        """
        SELECT id, payload_json
          FROM jobs
         WHERE kind = :kind AND unique_key = :delivery AND status = 'queued' AND attempts = 0 AND interruptions = 0
           -- A job that failed and was queued again has no attempts either.
           AND updated_at = created_at
        """,
        kind=JOB_KIND,
        delivery=delivery,
    )
    return None if row is None else (row["id"], json.loads(row["payload_json"]))


def set_payload(tx: WriteTx, job: int, payload: dict[str, Any]) -> None:
    tx.run("UPDATE jobs SET payload_json = :payload WHERE id = :job", job=job, payload=json.dumps(payload))


def list_disabled(tx: ReadTx) -> list[str]:
    """The IDs of the hooks that are turned off."""
    return list(settings_store.get(tx, _DISABLED, []))


def set_enabled(tx: WriteTx, hook: str, enabled: bool) -> None:
    disabled = [one for one in list_disabled(tx) if one != hook]
    settings_store.put(tx, _DISABLED, disabled if enabled else [*disabled, hook])
