from mysticanvas.edits.kinds import RecordedTables
from mysticanvas.features.base import Feature
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.lineage import routes, service
from mysticanvas.features.lineage.edits import EDITS

FEATURE = Feature(
    edits=EDITS,
    recorded=(RecordedTables(tables={}, also=frozenset({"generations"}), update=service.update_derived),),
    import_hooks=ImportHooks(
        on_images_added=service.on_images_added,
        on_recipe_set=service.on_recipe_set,
        on_names_changed=service.on_names_changed,
        on_file_moved=service.on_file_moved,
        on_file_hashed=service.on_file_hashed,
        around_removal=service.around_removal,
    ),
    routes=(routes.routes,),
)
