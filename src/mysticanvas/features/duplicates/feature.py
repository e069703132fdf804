from mysticanvas.edits.kinds import RecordedTables
from mysticanvas.features.base import Feature
from mysticanvas.features.duplicates import job, routes, service
from mysticanvas.features.duplicates.edits import EDITS
from mysticanvas.features.duplicates.types import JOB_KIND
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.jobs.kinds import JobKind

FEATURE = Feature(
    edits=EDITS,
    # Merging copies generation data to the image that is kept.
    recorded=(RecordedTables(tables={"generation_models": None, "raw_metadata": None}),),
    import_hooks=ImportHooks(on_thumbnails_made=service.on_thumbnails_made),
    backfills=(service.hash_missing,),
    routes=(routes.routes,),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply),),
)
