from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.migrate.service import LibraryImporting

FEATURE = Feature(
    background=(Loop(LibraryImporting),),
)
