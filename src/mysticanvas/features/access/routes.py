"""Sign-in and the token."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from mysticanvas.http.binding import GalleryAddress
from mysticanvas.http.code_guesses import CodeGuesses
from mysticanvas.http.passwords import Passwords
from mysticanvas.http.problems import respond
from mysticanvas.http.proxies import TrustedProxies
from mysticanvas.http.responses import reply, returns, returns_nothing
from mysticanvas.http.sessions import CODE_LIMIT_S, Sessions
from mysticanvas.http.sse import EventStream

# How long a browser is known after it last signed in.
DEVICE_COOKIE_S = 365 * 24 * 3600


class SignInRequest(BaseModel):
    """A one-time code, or the password."""

    code: str = Field(max_length=200)


class SignInLinksRequest(BaseModel):
    """The time in seconds until the links expire."""

    valid_s: int = Field(CODE_LIMIT_S, ge=1, le=CODE_LIMIT_S)


class RotateTokenRequest(BaseModel):
    """`confirm` must be true."""

    # A request without a body must not sign out every browser.
    confirm: Literal[True]


@dataclass(frozen=True, slots=True)
class SessionProof:
    """HMAC-SHA256 in hexadecimal."""

    proof: str


@dataclass(frozen=True, slots=True)
class SignInLinks:
    """Links that work once and expire after `valid_s` seconds. `url` is for this machine, `external_url` for others. It
    is null if only this machine can connect."""

    url: str
    external_url: str | None
    valid_s: int


EXAMPLE_LINKS = SignInLinks("http://127.0.0.1:8765/#t=Zx3…", None, CODE_LIMIT_S)


def routes(
    sessions: Sessions,
    passwords: Passwords,
    address: GalleryAddress,
    proxies: TrustedProxies,
    stream: EventStream,
) -> APIRouter:
    router = APIRouter(tags=["session"])
    guesses = CodeGuesses()

    @router.post(
        "/session", operation_id="session.signIn", responses=returns_nothing("Signed in: the response sets the cookie.")
    )
    async def sign_in(asked: SignInRequest, request: Request) -> Response:
        """Sign in with a one-time code, or with the password if one is set."""
        device_cookie = request.cookies.get(sessions.device_cookie_name, "")
        device = sessions.read_device(device_cookie)
        cookie = sessions.redeem(asked.code)
        client = proxies.find_client(request)
        if cookie is None and passwords.is_set:
            if not await passwords.accepts(asked.code, address=client, device=device):
                return respond(403, "The password or code is not valid. Check it and try again.")
            cookie = sessions.cookie
        if cookie is None:
            guesses.count_wrong(client)
            return respond(403, "This code was already used or has expired. Run mysticanvas open to get a new one.")
        answer = Response(status_code=204)
        _set_cookie(answer, request, sessions.cookie_name, cookie)
        _set_cookie(
            answer,
            request,
            sessions.device_cookie_name,
            sessions.create_device() if device is None else device_cookie,
            path="/api/v1/session",
            max_age_s=DEVICE_COOKIE_S,
        )
        return answer

    @router.get(
        "/session/proof", operation_id="session.getProof", responses=returns(SessionProof, SessionProof("5d" * 32))
    )
    async def get_proof(nonce: Annotated[str, Query(pattern="^[0-9a-f]{64}$")]) -> Response:
        """Prove that this server knows the library's token. Commands request this proof before they send any secret.
        `nonce` is a random value. The proof is an HMAC-SHA256 with the token (`domain/launch.py`) and is valid only for
        this launch and port."""
        return reply(SessionProof(sessions.prove(nonce)))

    @router.post("/session/links", operation_id="session.createLinks", responses=returns(SignInLinks, EXAMPLE_LINKS))
    async def create_links(asked: SignInLinksRequest | None = None) -> Response:
        """Create sign-in links that work once."""
        valid_s = CODE_LIMIT_S if asked is None else asked.valid_s
        url, external_url = create_sign_in_links(sessions, address, valid_s)
        return reply(SignInLinks(url, external_url, valid_s))

    @router.post("/session/token", operation_id="session.rotateToken", responses=returns_nothing())
    def rotate_token(asked: RotateTokenRequest, request: Request) -> Response:
        """Replace the token. The old token and unused sign-in links stop working immediately. All browsers are signed
        out, except the browser that sent this request."""
        before = sessions.cookie_name
        sessions.rotate_token()
        # Open streams were accepted with the old cookie. Browsers have the new one by then.
        answer = Response(status_code=204, background=BackgroundTask(stream.disconnect))
        if request.headers.get("origin") is not None:
            answer.delete_cookie(before, path="/")
            _set_cookie(answer, request, sessions.cookie_name, sessions.cookie)
        return answer

    return router


def create_sign_in_links(
    sessions: Sessions, address: GalleryAddress, valid_s: int = CODE_LIMIT_S
) -> tuple[str, str | None]:
    """Returns a sign-in URL for this machine, and one for other machines, which is None if only this machine can
    connect."""
    external = f"{address.external[0]}/#t={sessions.create_code(valid_s)}" if address.external else None
    return f"{address.base_url}/#t={sessions.create_code(valid_s)}", external


def _set_cookie(
    answer: Response, request: Request, name: str, cookie: str, *, path: str = "/", max_age_s: int | None = None
) -> None:
    secure = request.headers.get("origin", "").startswith("https://")
    answer.set_cookie(name, cookie, max_age=max_age_s, httponly=True, samesite="strict", secure=secure, path=path)
