"""What is too large for one transaction, slice by slice: deeds, their undoing, postings that follow a
relation, and tags from prompts.

One thread. All of it is in the database, so a restart goes on where the last slice was committed.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from mysticanvas.db.database import ChangeSet, Database, WriteTx
from mysticanvas.domain.errors import ConflictError, InvalidInputError, MystiCanvasError, NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import apply
from mysticanvas.edits import log as edit_log
from mysticanvas.edits import undo as edit_undo
from mysticanvas.edits.kinds import KINDS
from mysticanvas.edits.types import DeedState, Done, Step
from mysticanvas.features.tags import image_tag_queries, prompt_tags
from mysticanvas.features.trash import purge as trash_purge
from mysticanvas.features.trash import queries as trash_queries
from mysticanvas.fs.trash import Discard

log = logging.getLogger(__name__)

# The writer is held for about this long by a slice; its limit is 50 ms.
SLICE_S = 0.02
FIRST_SLICE = 100
SMALLEST_SLICE, LARGEST_SLICE = 50, 5_000
PAUSE_AFTER_ERROR_S = 5.0
# Whoever asks for a large deed gets its answer by then, finished or not.
WAIT_S = 1.0

# How often the Trash is looked through.
DAY_S = 86_400.0
# As long must no image have come in before prompts are looked through.
QUIET_S = 1.0

_WORK = {"deeds", "posting_work", "prompts"}


class EditRunner:
    """Runs while the context is open. What is unfinished then goes on at the next start."""

    def __init__(self, database: Database, *, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        self._sizes: dict[str, int] = {}
        self._wake = threading.Event()
        self._moved = threading.Condition()
        self._closing = False
        self._came_s = 0.0
        self._thread = threading.Thread(target=self._work, name="carrying on")

    def __enter__(self) -> "EditRunner":
        self._database.after_commit(self._on_commit)
        self._wake.set()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._wake.set()
        self._thread.join()

    # -- asking -------------------------------------------------------------------------------

    def do(
        self,
        kind: str,
        steps: Sequence[Step],
        images: Sequence[GenerationId] | None = (),
        *,
        wait_s: float = WAIT_S,
    ) -> Done:
        """A deed over as many images as there are; None: each step finds them itself.

        Done when this returns, or still on its way after `wait_s`. Either way it is on the disk and
        will be finished.
        """
        kinds = [KINDS[name] for name, _ in steps]
        if len(kinds) == 1 and kinds[0].targets is None and len(images or ()) <= kinds[0].at_once:
            return self._database.write(apply.do_all, kind, steps, images, now_ms=self._now_ms())
        operation = self._database.write(apply.begin, kind, steps, images, now_ms=self._now_ms())
        done = self.settled(operation, wait_s)
        if done.state is DeedState.UNDONE:
            raise ConflictError(done.trouble or "That could not be done.")
        return done

    def undo(self, operation: int | None, *, wait_s: float = WAIT_S) -> Done:
        """The last deed when None. Raises as `undoing.undo`, also when a later slice was refused in time."""
        named = self._database.read(edit_undo.last_done) if operation is None else operation
        return self._moved_to(self._database.write(edit_undo.undo, named), DeedState.UNDONE, wait_s)

    def redo(self, operation: int | None, *, wait_s: float = WAIT_S) -> Done:
        named = self._database.read(edit_undo.last_undone) if operation is None else operation
        return self._moved_to(self._database.write(edit_undo.redo, named), DeedState.DONE, wait_s)

    def _moved_to(self, done: Done, wanted: DeedState, wait_s: float) -> Done:
        if done.state.moving:
            done = self.settled(done.operation, wait_s)
        if not done.state.moving and done.state is not wanted:
            raise ConflictError(done.trouble or "That could not be done.")
        return done

    def settled(self, operation: int, wait_s: float) -> Done:
        """How far the deed is, once it has arrived or `wait_s` have passed. Raises `NotFoundError`."""
        deadline_s = time.monotonic() + wait_s
        while True:
            done = self._database.read(edit_log.find, operation).done
            left_s = deadline_s - time.monotonic()
            if not done.state.moving or left_s <= 0:
                return done
            with self._moved:
                self._moved.wait(min(left_s, 0.05))

    # -- the thread ---------------------------------------------------------------------------

    def _on_commit(self, changes: ChangeSet) -> None:
        if "prompts" in changes.stale and changes.added:
            self._came_s = time.monotonic()
        if changes.stale & _WORK:
            self._wake.set()

    def _work(self) -> None:
        purged_s = -DAY_S
        while not self._closing:
            self._wake.clear()
            try:
                if time.monotonic() - purged_s >= DAY_S:
                    purged_s = time.monotonic()
                    self._purge()
                busy = self._carry_on()
            except MystiCanvasError as error:
                log.warning("a change waits for the database", extra={"reason": str(error)})
                self._wake.wait(PAUSE_AFTER_ERROR_S)
                busy = True
            except Exception:
                log.exception("a change could not be carried on")
                busy = False
            if not busy:
                self._wake.wait(DAY_S)

    def _purge(self) -> None:
        """What a sudden end broke off is ended; what has been in the Trash for its time goes (R1)."""
        trash_purge.recover(self._database, now_ms=self._now_ms)
        due = self._database.read(trash_queries.ids, before_ms=self._now_ms(), limit=trash_purge.MOST)
        if due:
            trash_purge.purge(self._database, due, Discard.SYSTEM_TRASH, now_ms=self._now_ms)

    def _carry_on(self) -> bool:
        """One slice of what is most urgent; False when nothing is left."""
        operation = self._database.read(edit_log.unfinished)
        if operation is not None:
            self._carry_on_deed(operation)
            with self._moved:
                self._moved.notify_all()
            return True
        how = self._database.read(image_tag_queries.next_work)
        if how is not None:
            # Each kind has slices of its own size: looking takes ten times as long as adding.
            return self._timed(f"postings {how}", lambda tx, limit: image_tag_queries.carry_on(tx, limit=limit))
        return self._carry_on_prompts()

    def _carry_on_prompts(self) -> bool:
        """Prompts wait while images come in: an import needs the writer more."""
        if not self._database.read(prompt_tags.is_waiting):
            return False
        quiet_s = time.monotonic() - self._came_s
        if quiet_s < QUIET_S:
            self._wake.wait(QUIET_S - quiet_s)
            return True
        now_ms = self._now_ms()
        return self._timed("prompts", lambda tx, limit: prompt_tags.carry_on(tx, limit=limit, now_ms=now_ms))

    def _carry_on_deed(self, operation: int) -> None:
        deed = self._database.read(edit_log.find, operation)
        try:
            if deed.state is DeedState.APPLYING:
                now_ms = self._now_ms()
                self._timed(deed.kind, lambda tx, limit: apply.carry_on(tx, operation, limit=limit, now_ms=now_ms))
            else:
                self._database.write_bulk(edit_undo.carry_on, operation)
        except (ConflictError, InvalidInputError, NotFoundError) as refused:
            self._database.write_bulk(_refuse, operation, str(refused))
        except MystiCanvasError:
            raise
        except Exception as error:
            log.exception("a deed was broken off", extra={"operation": operation})
            self._database.write_bulk(_refuse, operation, f"It could not be carried out: {error}")

    def _timed(self, what: str, slice_: Callable[[WriteTx, int], bool]) -> bool:
        """The next slice is as large as this one shows that it may be."""
        limit = self._sizes.get(what, FIRST_SLICE)

        def timed(tx: WriteTx) -> tuple[bool, float]:
            began_s = time.perf_counter()
            more = slice_(tx, limit)
            return more, time.perf_counter() - began_s

        more, spent_s = self._database.write_bulk(timed)
        self._sizes[what] = max(SMALLEST_SLICE, min(LARGEST_SLICE, int(limit * min(2.0, SLICE_S / max(spent_s, 1e-6)))))
        return more


def _refuse(tx: WriteTx, operation: int, reason: str) -> None:
    """A deed that cannot go on goes back; one that can go neither way stays as it is, and says so."""
    deed = edit_log.find(tx, operation)
    if deed.state is DeedState.APPLYING:
        edit_log.end_progress(tx, operation)
        edit_log.set_state(tx, operation, DeedState.UNDOING, trouble=reason)
    elif deed.trouble is None:
        edit_undo.turn_round(tx, operation, reason)
    else:
        edit_log.set_state(tx, operation, DeedState.EXPIRED, trouble=reason)
