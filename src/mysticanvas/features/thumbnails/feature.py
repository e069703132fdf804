from mysticanvas.features.base import Feature
from mysticanvas.features.thumbnails import job, routes
from mysticanvas.features.thumbnails.types import JOB_KIND
from mysticanvas.jobs.kinds import JobKind

FEATURE = Feature(
    routes=(routes.routes,),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, save_files=job.save_files),),
)
