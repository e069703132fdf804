"""The table of job kinds: how each is prepared and applied.

`prepare` reads what the task needs, on any thread; None means that there is nothing left to do and
the job is done. `apply` runs in the writer, in the transaction that marks the job done, so that an
effect is applied exactly once (J4). `split` gives the payloads of smaller jobs in place of one that
crashed a worker, so that the one bad thing in it is found (J6); none when it is as small as can be.
`attempts` is how often it is tried before it is parked (J5), and `give_up` what is done then, with its
payload and the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mysticanvas.domain.job import JobKind
from mysticanvas.domain.task import Answer, Task
from mysticanvas.domain.verifying import RescanRoot
from mysticanvas.library.jobs import autotag, embed, look, models, phash, reparse, rescan, sha256, thumb, verify, vision
from mysticanvas.store.database import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class Kind:
    prepare: Callable[[ReadTx, dict[str, Any]], Task | RescanRoot | None]
    apply: Callable[[WriteTx, dict[str, Any], Answer], None]
    split: Callable[[dict[str, Any]], list[dict[str, Any]]] = lambda payload: []
    attempts: int = 4
    give_up: Callable[[WriteTx, dict[str, Any], str], None] = lambda tx, payload, reason: None


# Jobs that take minutes. They are done one at a time, by a worker of their own, and only when no other
# job is waiting or running, except for one that takes days by intention.
SLOW = (JobKind.MODELS, JobKind.AUTOTAG)
UNHURRIED = (JobKind.VERIFY,)
# Jobs that have workers of their own with more memory, some at a time.
APART = (JobKind.VISION, JobKind.LOOK)
# Jobs that the Orchestrator does itself, one at a time, whatever else is running.
INSIDE = (JobKind.RESCAN,)

KINDS: dict[JobKind, Kind] = {
    JobKind.THUMB: Kind(thumb.prepare, thumb.apply),
    JobKind.SHA256: Kind(sha256.prepare, sha256.apply),
    JobKind.MODELS: Kind(models.prepare, models.apply),
    JobKind.REPARSE: Kind(reparse.prepare, reparse.apply, reparse.split),
    JobKind.EMBED: Kind(embed.prepare, embed.apply, embed.split),
    JobKind.PHASH: Kind(phash.prepare, phash.apply),
    JobKind.AUTOTAG: Kind(autotag.prepare, autotag.apply),
    JobKind.VERIFY: Kind(verify.prepare, verify.apply, verify.split, give_up=verify.give_up),
    JobKind.RESCAN: Kind(rescan.prepare, rescan.apply),
    JobKind.VISION: Kind(vision.prepare, vision.apply),
    JobKind.LOOK: Kind(look.prepare, look.apply, look.split),
}
