"""Rebuilds indexes from their tables."""

import apsw

from mysticanvas.db.database import WriteTx
from mysticanvas.db.io_errors import WAYS_OUT
from mysticanvas.domain.errors import DamagedLibraryError


def rebuild_indexes(tx: WriteTx) -> None:
    """Raises `DamagedLibraryError` when a table has rows that its indexes do not allow."""
    try:
        tx.run("REINDEX")
    except apsw.ConstraintError as error:
        raise DamagedLibraryError(
            f"The indexes cannot be rebuilt, because a table is damaged: {error}. {WAYS_OUT}"
        ) from error
