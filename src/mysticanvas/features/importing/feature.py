from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.importing import reparse_job, routes
from mysticanvas.features.importing.messages import REPARSE_JOB
from mysticanvas.features.importing.service import start_importing
from mysticanvas.jobs.kinds import JobKind

FEATURE = Feature(
    routes=(routes.routes,),
    import_hooks=ImportHooks(on_thumbnails_made=reparse_job.store_hidden_text),
    jobs=(JobKind(name=REPARSE_JOB, prepare=reparse_job.prepare, apply=reparse_job.apply, split=reparse_job.split),),
    background=(Loop(start_importing),),
)
