from mysticanvas.edits.kinds import Recorded
from mysticanvas.features.base import Feature
from mysticanvas.features.tags import derived, routes, service
from mysticanvas.features.tags.edits import EDITS

FEATURE = Feature(
    edits=EDITS,
    recorded=(
        Recorded(
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
    routes=(routes.routes,),
)
