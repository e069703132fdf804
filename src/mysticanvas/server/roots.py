"""The person's folders: their state, and scans of them."""

from fastapi import APIRouter, Response

from mysticanvas.server.services import Services
from mysticanvas.server.wire import Int64, ScanIn, reply
from mysticanvas.store import roots


def routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/api/roots", tags=["library"])
    database, importing = services.database, services.importing

    @router.get("")
    def listed() -> Response:
        return reply({"roots": database.read(roots.states)})

    @router.post("/{root_id}/scan")
    def scan(root_id: Int64, asked: ScanIn) -> Response:
        root = database.read(roots.find, root_id)
        return reply({"id": importing.rescan(root, accept=asked.accept, dry_run=asked.dry_run)})

    return router
