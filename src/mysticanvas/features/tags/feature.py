from mysticanvas.edits.kinds import RecordedTables
from mysticanvas.features.base import Feature
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.repairs import Repair
from mysticanvas.features.tags import derived, image_tag_queries, prompt_tags, routes, service
from mysticanvas.features.tags.edits import EDITS

FEATURE = Feature(
    edits=EDITS,
    recorded=(
        RecordedTables(
            tables={
                "settings": None,
                "tags": "tags",
                "tag_alias_edges": "tags",
                "tag_implications": "tags",
                "tag_thresholds": "tags",
                "source_thresholds": "tags",
                "tag_assertions": "tags",
            },
            also=frozenset({"generations"}),
            checked=frozenset({"tag_alias_edges", "tag_implications"}),
            check=service.refuse_circles,
            update=derived.update,
        ),
    ),
    slices=(derived.ASSIGNMENTS, derived.PROMPTS),
    repairs=(
        Repair(
            ("displayed tags", "image counts of tags"),
            "rebuild the displayed tags and their image counts",
            lambda tx, now_ms: image_tag_queries.rebuild(tx),
        ),
    ),
    import_hooks=ImportHooks(
        on_prompts_added=prompt_tags.on_prompts_added,
        on_image_shown=lambda tx, image, /, *, now_ms: image_tag_queries.derive_images(tx, [image]),
    ),
    routes=(routes.routes,),
)
