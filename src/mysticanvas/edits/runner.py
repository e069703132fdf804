"""The edit runner: applies, undoes and redoes large edits slice by slice, and runs the background slices of
features.

One thread. All state is in the database, so a restart continues after the last committed slice.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from mysticanvas.db.database import ChangeSet, Database, WriteTx
from mysticanvas.domain.errors import ConflictError, InvalidInputError, MystiCanvasError, NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import apply, log, undo
from mysticanvas.edits.background import SLICES, BackgroundSlices
from mysticanvas.edits.kinds import Edit
from mysticanvas.edits.types import EditResult, EditState

logger = logging.getLogger(__name__)

# Target duration of a slice; a bulk transaction of the writer may take at most 50 ms.
SLICE_S = 0.02
FIRST_SLICE = 100
SMALLEST_SLICE, LARGEST_SLICE = 50, 5_000
PAUSE_AFTER_ERROR_S = 5.0
# A request for a large edit returns after this time, finished or not.
WAIT_S = 1.0
# Background slices with `when_quiet` start this long after the last image was imported.
QUIET_S = 1.0
_CANNOT = "This edit cannot be completed."


class _SliceSizes:
    """The number of images in the next slice of each kind of work, adapted to the duration of the last one."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}

    def run(self, database: Database, work: str, slice_: Callable[[WriteTx, int], bool]) -> bool:
        limit = self._sizes.get(work, FIRST_SLICE)

        def timed(tx: WriteTx) -> tuple[bool, float]:
            began_s = time.perf_counter()
            more = slice_(tx, limit)
            return more, time.perf_counter() - began_s

        more, spent_s = database.write_bulk(timed)
        best = int(limit * min(2.0, SLICE_S / max(spent_s, 1e-6)))
        self._sizes[work] = max(SMALLEST_SLICE, min(LARGEST_SLICE, best))
        return more


class EditRunner:
    """Runs while the context is open. Unfinished work continues at the next start."""

    def __init__(self, database: Database, *, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        self._sizes = _SliceSizes()
        self._wakes_on = {"edits"}.union(*(one.lists for one in SLICES))
        self._wake = threading.Event()
        self._progressed = threading.Condition()
        self._closing = False
        self._last_import_s = 0.0
        self._thread = threading.Thread(target=self._work, name="edit runner")

    def __enter__(self) -> "EditRunner":
        self._database.after_commit(self._on_commit)
        self._wake.set()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._wake.set()
        self._thread.join()

    # -- requests -----------------------------------------------------------------------------

    def do(self, edit: Edit, images: Sequence[GenerationId] | None = (), *, wait_s: float = WAIT_S) -> EditResult:
        """Applies an edit to any number of images; None: the edit finds them itself.

        Returns when it is done, or after `wait_s` while it is still running. Either way it is stored and will be
        completed. Raises `ConflictError` when it was refused by then.
        """
        return self.do_all(edit.kind, [edit], images, wait_s=wait_s)

    def do_all(
        self, kind: str, edits: Sequence[Edit], images: Sequence[GenerationId] | None = None, *, wait_s: float = WAIT_S
    ) -> EditResult:
        """Applies several steps as one edit. `images` are those of the first step."""
        if len(edits) == 1 and not edits[0].finds_images and len(images or ()) <= edits[0].at_once:
            return self._database.write(apply.apply_all, kind, edits, images, now_ms=self._now_ms())
        operation = self._database.write(apply.begin, kind, edits, images, now_ms=self._now_ms())
        result = self.wait_for(operation, wait_s)
        if result.state is EditState.UNDONE:
            raise ConflictError(result.error or _CANNOT)
        return result

    def undo(self, operation: int | None, *, wait_s: float = WAIT_S) -> EditResult:
        """None: the last edit. Raises like `undo.undo`, also when a later slice is refused within `wait_s`."""
        found = self._database.read(undo.find_last_done) if operation is None else operation
        return self._wait_for_state(self._database.write(undo.undo, found), EditState.UNDONE, wait_s)

    def redo(self, operation: int | None, *, wait_s: float = WAIT_S) -> EditResult:
        """None: the last undone edit. Raises like `undo`."""
        found = self._database.read(undo.find_last_undone) if operation is None else operation
        return self._wait_for_state(self._database.write(undo.redo, found), EditState.DONE, wait_s)

    def _wait_for_state(self, result: EditResult, requested: EditState, wait_s: float) -> EditResult:
        if result.state.is_moving:
            result = self.wait_for(result.operation, wait_s)
        if not result.state.is_moving and result.state is not requested:
            raise ConflictError(result.error or _CANNOT)
        return result

    def wait_for(self, operation: int, wait_s: float) -> EditResult:
        """The state of the edit, once it is finished or after `wait_s`. Raises `NotFoundError`."""
        deadline_s = time.monotonic() + wait_s
        while True:
            result = self._database.read(log.find, operation).result
            left_s = deadline_s - time.monotonic()
            if not result.state.is_moving or left_s <= 0:
                return result
            with self._progressed:
                self._progressed.wait(min(left_s, 0.05))

    # -- the thread ---------------------------------------------------------------------------

    def _on_commit(self, changes: ChangeSet) -> None:
        if changes.added:
            self._last_import_s = time.monotonic()
        if changes.invalidated & self._wakes_on:
            self._wake.set()

    def _work(self) -> None:
        while not self._closing:
            self._wake.clear()
            try:
                busy = self._run_slice()
            except MystiCanvasError as error:
                logger.warning("an edit is waiting for the database", extra={"reason": str(error)})
                self._wake.wait(PAUSE_AFTER_ERROR_S)
                busy = True
            except Exception:
                logger.exception("a part of an edit failed")
                busy = False
            if not busy:
                self._wake.wait()

    def _run_slice(self) -> bool:
        """Runs one slice of the most urgent work. False when nothing is left."""
        operation = self._database.read(log.find_unfinished)
        if operation is None:
            return self._run_background()
        self._run_edit(operation)
        with self._progressed:
            self._progressed.notify_all()
        return True

    def _run_background(self) -> bool:
        for slices in SLICES:
            work = self._database.read(slices.waiting)
            if work is not None:
                return self._run_when_quiet(slices, work)
        return False

    def _run_when_quiet(self, slices: BackgroundSlices, work: str) -> bool:
        left_s = self._last_import_s + QUIET_S - time.monotonic()
        if slices.when_quiet and left_s > 0:
            self._wake.wait(left_s)
            return True
        now_ms = self._now_ms()
        return self._sizes.run(self._database, work, lambda tx, limit: slices.run(tx, limit, now_ms))

    def _run_edit(self, operation: int) -> None:
        found = self._database.read(log.find, operation)
        try:
            if found.state is EditState.APPLYING:
                now_ms = self._now_ms()
                self._sizes.run(
                    self._database,
                    found.kind,
                    lambda tx, limit: apply.apply_slice(tx, operation, limit=limit, now_ms=now_ms),
                )
            else:
                self._database.write_bulk(undo.move_slice, operation)
        except (ConflictError, InvalidInputError, NotFoundError) as refused:
            self._database.write_bulk(_refuse, operation, str(refused))
        except MystiCanvasError:
            raise
        except Exception as error:
            logger.exception("an edit failed", extra={"operation": operation})
            self._database.write_bulk(_refuse, operation, f"The edit failed: {error}")


def _refuse(tx: WriteTx, operation: int, reason: str) -> None:
    """Undoes an edit that cannot continue. Its progress is kept, so a partly applied edit is never redone.
    An edit that can be neither completed nor undone becomes EXPIRED, with the reason."""
    found = log.find(tx, operation)
    if found.state is EditState.APPLYING:
        log.set_state(tx, operation, EditState.UNDOING, error=reason)
    elif found.error is None:
        undo.reverse(tx, operation, reason)
    else:
        log.set_state(tx, operation, EditState.EXPIRED, error=reason)
