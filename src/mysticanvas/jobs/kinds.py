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

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.autotag import job as autotag_job
from mysticanvas.features.duplicates import job as duplicate_job
from mysticanvas.features.file_hashes import job as file_hash_job
from mysticanvas.features.folders import job as folder_job
from mysticanvas.features.folders.types import RescanRoot
from mysticanvas.features.importing import reparse_job
from mysticanvas.features.models import job as model_job
from mysticanvas.features.semantic import job as semantic_job
from mysticanvas.features.thumbnails import job as thumbnail_job
from mysticanvas.features.verify import job as verify_job
from mysticanvas.features.vision import job as vision_job
from mysticanvas.features.wd_tagger import job as wd_tagger_job
from mysticanvas.jobs.types import JobKind


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
    JobKind.THUMB: Kind(thumbnail_job.prepare, thumbnail_job.apply),
    JobKind.SHA256: Kind(file_hash_job.prepare, file_hash_job.apply),
    JobKind.MODELS: Kind(model_job.prepare, model_job.apply),
    JobKind.REPARSE: Kind(reparse_job.prepare, reparse_job.apply, reparse_job.split),
    JobKind.EMBED: Kind(semantic_job.prepare, semantic_job.apply, semantic_job.split),
    JobKind.PHASH: Kind(duplicate_job.prepare, duplicate_job.apply),
    JobKind.AUTOTAG: Kind(autotag_job.prepare, autotag_job.apply),
    JobKind.VERIFY: Kind(verify_job.prepare, verify_job.apply, verify_job.split, give_up=verify_job.give_up),
    JobKind.RESCAN: Kind(folder_job.prepare, folder_job.apply),
    JobKind.VISION: Kind(wd_tagger_job.prepare, wd_tagger_job.apply),
    JobKind.LOOK: Kind(vision_job.prepare, vision_job.apply, vision_job.split),
}
