from mysticanvas.features.base import Feature
from mysticanvas.features.events import routes

FEATURE = Feature(
    routes=(routes.routes, routes.stream_routes),
)
