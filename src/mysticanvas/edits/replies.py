"""Results of edits as the API has them."""

from typing import Any

from mysticanvas.edits.types import EditResult


def wire(result: EditResult) -> dict[str, Any]:
    return {
        "operation": result.operation,
        "changed": result.changed,
        "total": result.total,
        "state": result.state.value,
        "trouble": result.error,
    }
