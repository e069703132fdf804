"""The registry of job kinds. Features provide them; `app/features.py` registers them.

The name of a kind is stored with its jobs, so never reuse a name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.task import Answer, Task


class Lane(Enum):
    """Where the jobs of a kind run.

    NORMAL: on the workers. BACKGROUND: on the workers, without delaying SLOW jobs. SLOW: jobs that
    take minutes, one at a time, on a separate worker, only while no job of NORMAL runs. GPU: on
    workers with more memory, two at a time. IN_PROCESS: in the Orchestrator itself, one at a time. HOOKS: in programs
    of the user, which the Orchestrator calls, one at a time.
    """

    NORMAL = auto()
    BACKGROUND = auto()
    SLOW = auto()
    GPU = auto()
    IN_PROCESS = auto()
    HOOKS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """`prepare` reads the input of the task, on any thread; None means that nothing is left to do, and the job
    is done. `apply` runs in the writer, in the transaction that marks the job done, so its effect is applied
    exactly once. `save_files(folder of the library, answer)` writes files before that transaction; it may
    raise `OSError`.

    `split` returns the payloads of smaller jobs that replace one that crashed a worker; an empty list when it
    cannot be split. After `attempts` failures a job is parked, and `give_up` is called with its payload and the
    reason. `start` and `stop` are for kinds that run only on request, and `is_on` tells whether such a kind also
    runs for new images; `start` returns how many jobs it queued.
    """

    name: str
    prepare: Callable[[ReadTx, dict[str, Any]], Task | None]
    apply: Callable[[WriteTx, dict[str, Any], Answer], None]
    save_files: Callable[[Path, Answer], None] | None = None
    split: Callable[[dict[str, Any]], list[dict[str, Any]]] = lambda payload: []
    attempts: int = 4
    give_up: Callable[[WriteTx, dict[str, Any], str], None] = lambda tx, payload, reason: None
    lane: Lane = Lane.NORMAL
    start: Callable[[Database, Callable[[], int]], int] | None = None
    stop: Callable[[WriteTx], None] | None = None
    is_on: Callable[[ReadTx], bool] | None = None


KINDS: dict[str, JobKind] = {}


def register(*kinds: JobKind) -> None:
    """Registering the same kind twice has no effect. Raises `ValueError` where two kinds share a name."""
    for kind in kinds:
        if KINDS.setdefault(kind.name, kind) is not kind:
            raise ValueError(f"Two job kinds are named {kind.name}.")


def kind_names() -> list[str]:
    return list(KINDS)


def kind_names_in(*lanes: Lane) -> list[str]:
    return [kind.name for kind in KINDS.values() if kind.lane in lanes]


def find_kind(name: str) -> JobKind:
    """Raises `InvalidInputError`."""
    if name not in KINDS:
        raise InvalidInputError(f"“{name}” is not a job kind. Use one of: {', '.join(KINDS)}.")
    return KINDS[name]
