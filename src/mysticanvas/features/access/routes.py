"""Sign-in, and the event stream of an open page."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from mysticanvas.http.binding import GalleryAddress
from mysticanvas.http.passwords import Passwords
from mysticanvas.http.proxies import TrustedProxies
from mysticanvas.http.schemas import reply
from mysticanvas.http.sessions import Sessions
from mysticanvas.http.sse import EventStream

# How long a browser is known after it last signed in.
DEVICE_COOKIE_S = 365 * 24 * 3600


class CodeIn(BaseModel):
    code: str = Field(max_length=200)


def routes(
    sessions: Sessions,
    passwords: Passwords,
    address: GalleryAddress,
    proxies: TrustedProxies,
    stream: EventStream,
) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["session"])

    @router.post("/session")
    async def sign_in(asked: CodeIn, request: Request) -> Response:
        """Sign in with a one-time code, or with the password if one is set."""
        device_cookie = request.cookies.get(sessions.device_cookie_name, "")
        device = sessions.read_device(device_cookie)
        cookie = sessions.redeem(asked.code)
        if cookie is None and passwords.is_set:
            client = proxies.find_client(request)
            if not await passwords.accepts(asked.code, address=client, device=device):
                return reply({"error": "This is neither the password nor a valid code. Check it and try again."}, 403)
            cookie = sessions.cookie
        if cookie is None:
            return reply(
                {"error": "This code was already used or has expired. Run mysticanvas serve again to get a new one."},
                403,
            )
        secure = request.headers.get("origin", "").startswith("https://")
        answer = Response(status_code=204)
        answer.set_cookie(sessions.cookie_name, cookie, httponly=True, samesite="strict", secure=secure, path="/")
        answer.set_cookie(
            sessions.device_cookie_name,
            sessions.create_device() if device is None else device_cookie,
            max_age=DEVICE_COOKIE_S,
            httponly=True,
            samesite="strict",
            secure=secure,
            path="/api/session",
        )
        return answer

    @router.post("/session/code")
    async def new_code() -> Response:
        return reply({"url": f"{address.base_url}/#t={sessions.create_code()}"})

    @router.get("/events")
    async def follow(
        since: Annotated[str | None, Query(max_length=20)] = None,
        last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    ) -> Response:
        """Stream events (SSE). `since` is the number of the last message received, for a new stream. A browser that
        reconnects sends the same number in the `Last-Event-ID` header, which takes precedence."""
        last = last_event_id or since or ""
        seen = int(last) if last.isascii() and last.isdigit() else None
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(stream.follow(seen), headers=headers, media_type="text/event-stream")

    return router
