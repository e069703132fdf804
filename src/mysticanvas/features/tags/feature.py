from mysticanvas.features.base import Feature
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.repairs import Repair
from mysticanvas.features.tags import image_tag_queries, prompt_tags, routes

FEATURE = Feature(
    repairs=(
        Repair(
            ("the tags shown follow from what was said", "every tag has the number of images that show it"),
            "The tags of all images are derived again, and counted.",
            lambda tx, now_ms: image_tag_queries.rebuild(tx),
        ),
    ),
    import_hooks=ImportHooks(on_prompts_added=prompt_tags.note_added),
    routes=(routes.routes,),
)
