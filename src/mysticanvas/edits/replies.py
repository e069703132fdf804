"""What a request that changed something is answered."""

from typing import Any

from mysticanvas.edits.types import Done


def wire(done: Done) -> dict[str, Any]:
    return {
        "operation": done.operation,
        "changed": done.changed,
        "total": done.total,
        "state": done.state.value,
        "trouble": done.trouble,
    }
