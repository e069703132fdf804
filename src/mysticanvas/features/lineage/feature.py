from mysticanvas.edits.kinds import Recorded
from mysticanvas.features.base import Feature
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.lineage import routes, service
from mysticanvas.features.lineage.edits import EDITS

FEATURE = Feature(
    edits=EDITS,
    recorded=(Recorded(tables={}, also=frozenset({"generations"}), update=service.follow),),
    import_hooks=ImportHooks(
        on_images_added=service.note,
        on_recipe_set=service.note_anew,
        on_names_changed=service.note_arrival,
        on_file_moved=service.note_move,
        on_file_hashed=service.note_hash,
        around_removal=service.removing,
    ),
    routes=(routes.routes,),
)
