from mysticanvas.features.base import Feature
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.tags import prompt_tags, routes

FEATURE = Feature(
    import_hooks=ImportHooks(on_prompts_added=prompt_tags.note_added),
    routes=(routes.routes,),
)
