"""The progress of each job kind: finished, total, rate and time left. Kept in memory."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from mysticanvas.db.database import Database
from mysticanvas.jobs import queries
from mysticanvas.jobs.queries import KindState

WINDOW_S = 20.0
# Counting a million jobs takes a while. When it takes longer than `QUICK_S`, it is limited to this share of the
# time.
QUICK_S = 0.02
COUNTING_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class KindProgress:
    """`finished` of `total` since the current run of this kind began, or since the start of the Orchestrator;
    `total` is 0 when there are no jobs. `eta_s` is None while nothing finishes, and while paused."""

    kind: str
    waiting: int
    running: int
    done: int
    failed: int
    cancelled: int
    paused: bool
    finished: int
    total: int
    rate_per_s: float
    eta_s: float | None


@dataclass(slots=True)
class _Run:
    """`recent` holds (time, number of jobs) for the last `WINDOW_S`."""

    began_s: float
    finished: int = 0
    recent: deque[tuple[float, int]] = field(default_factory=deque)
    is_over: bool = False


class JobProgress:
    """Thread-safe."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._counts: list[KindState] = []
        self._count_again_s = 0.0

    def counts(self, database: Database) -> list[KindState]:
        """One state for each kind that has jobs; may be slightly outdated when there are very many."""
        with self._counting:
            began_s = self._clock_s()
            if began_s >= self._count_again_s:
                self._counts = database.read(queries.list_states)
                spent_s = self._clock_s() - began_s
                self._count_again_s = began_s + (spent_s / COUNTING_SHARE if spent_s > QUICK_S else 0.0)
            return self._counts

    def record(self, kind: str, finished: int = 1) -> None:
        """Counts jobs that are done or parked."""
        now_s = self._clock_s()
        with self._lock:
            run = self._runs.get(kind)
            if run is None or run.is_over:
                run = self._runs[kind] = _Run(now_s)
            run.finished += finished
            run.recent.append((now_s, finished))
            _forget_old(run, now_s)

    def estimate(self, states: Sequence[KindState], paused: Sequence[str]) -> list[KindProgress]:
        """Parallel to `states`. A kind without jobs left ends its run; the next run starts from zero."""
        now_s = self._clock_s()
        with self._lock:
            return [self._estimate(state, state.kind in paused, now_s) for state in states]

    def _estimate(self, state: KindState, is_paused: bool, now_s: float) -> KindProgress:
        run = self._runs.get(state.kind)
        left = state.waiting + state.running
        if run is None:
            return KindProgress(**asdict(state), paused=is_paused, finished=0, total=left, rate_per_s=0.0, eta_s=None)
        run.is_over = run.is_over or not left
        if run.is_over and left:
            run = self._runs[state.kind] = _Run(now_s)
        _forget_old(run, now_s)
        # A rate over less than a second is meaningless.
        rate_per_s = sum(count for _, count in run.recent) / max(1.0, min(WINDOW_S, now_s - run.began_s))
        eta_s = left / rate_per_s if left and rate_per_s > 0 and not is_paused else None
        return KindProgress(
            **asdict(state),
            paused=is_paused,
            finished=run.finished,
            total=run.finished + left,
            rate_per_s=round(rate_per_s, 3),
            eta_s=eta_s,
        )


def _forget_old(run: _Run, now_s: float) -> None:
    while run.recent and run.recent[0][0] < now_s - WINDOW_S:
        run.recent.popleft()
