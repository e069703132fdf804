"""The table of job kinds: how each is prepared and applied.

`prepare` reads what the task needs, on any thread; None means that there is nothing left to do and
the job is done. `apply` runs in the writer, in the transaction that marks the job done, so that an
effect is applied exactly once (J4). `split` gives the payloads of smaller jobs in place of one that
crashed a worker, so that the one bad thing in it is found (J6); none when it is as small as can be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mysticanvas.domain.job import JobKind
from mysticanvas.domain.task import Answer, Task
from mysticanvas.library.jobs import autotag, embed, models, phash, reparse, sha256, thumb
from mysticanvas.store.database import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class Kind:
    prepare: Callable[[ReadTx, dict[str, Any]], Task | None]
    apply: Callable[[WriteTx, dict[str, Any], Answer], None]
    split: Callable[[dict[str, Any]], list[dict[str, Any]]] = lambda payload: []


# Jobs that take minutes. They are done one at a time, by a worker of their own, and only when no other
# job is waiting or running.
SLOW = (JobKind.MODELS, JobKind.AUTOTAG)

KINDS: dict[JobKind, Kind] = {
    JobKind.THUMB: Kind(thumb.prepare, thumb.apply),
    JobKind.SHA256: Kind(sha256.prepare, sha256.apply),
    JobKind.MODELS: Kind(models.prepare, models.apply),
    JobKind.REPARSE: Kind(reparse.prepare, reparse.apply, reparse.split),
    JobKind.EMBED: Kind(embed.prepare, embed.apply),
    JobKind.PHASH: Kind(phash.prepare, phash.apply),
    JobKind.AUTOTAG: Kind(autotag.prepare, autotag.apply),
}
