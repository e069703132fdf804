"""Results of edits in the format of the API."""

from typing import Any

from mysticanvas.edits.types import EditResult


def to_wire(result: EditResult) -> dict[str, Any]:
    return {
        "operation": result.operation,
        "changed": result.changed,
        "total": result.total,
        "state": result.state.value,
        "trouble": result.error,
    }
