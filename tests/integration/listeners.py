"""Programs that listen where a gallery was: each records what it gets, and answers in its own way."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from mysticanvas.domain.launch import Launch, prove

Answer = Callable[["Listener", socket.socket, bytes], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Listener:
    """Answers every request with `answer`. `heard` is all that came in, `connections` how often."""

    def __init__(self, answer: Answer, port: int = 0) -> None:
        self.heard = b""
        self.connections = 0
        self.stopped = threading.Event()
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if self.stopped.is_set():
                connection.close()
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = connection.recv(65_536)
                self.heard += request
                self._answer(self, connection, request)
            except OSError:
                # The client has had enough.
                pass

    def close(self) -> None:
        self.stopped.set()
        # Wakes the thread that waits for a connection, which close alone does not.
        with socket.socket() as last:
            last.connect_ex(("127.0.0.1", self.port))
        self._socket.close()


@contextmanager
def listening(answer: Answer, port: int = 0) -> Iterator[Listener]:
    listener = Listener(answer, port)
    try:
        yield listener
    finally:
        listener.close()


def say(*parts: bytes) -> Answer:
    def answer(_: Listener, connection: socket.socket, __: bytes) -> None:
        for part in parts:
            connection.sendall(part)

    return answer


def repeat(head: bytes, block: bytes) -> Answer:
    """Without end."""

    def answer(listener: Listener, connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        while not listener.stopped.is_set():
            connection.sendall(block)

    return answer


def drip(content: bytes) -> Answer:
    """A byte at a time, and the last one again and again."""

    def answer(listener: Listener, connection: socket.socket, _: bytes) -> None:
        at = 0
        while not listener.stopped.wait(0.02):
            connection.sendall(content[at : at + 1])
            at = min(at + 1, len(content) - 1)

    return answer


def be_silent(listener: Listener, _: socket.socket, __: bytes) -> None:
    listener.stopped.wait()


def relay_to(port: int) -> Answer:
    """Passes everything on to a gallery that knows the token, and back."""

    def answer(listener: Listener, connection: socket.socket, request: bytes) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as real:
            real.sendall(request.replace(f"127.0.0.1:{listener.port}".encode(), f"127.0.0.1:{port}".encode()))
            while block := real.recv(65_536):
                connection.sendall(block)

    return answer


def redirect_to(port: int) -> Answer:
    return say(
        f"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://localhost:{port}/api/v1/session/proof\r\n".encode(),
        b"Content-Length: 0\r\n\r\n",
    )


STRANGERS: dict[str, Answer] = {
    "garbage": say(b"\x00\xff\x15\x03" * 500),
    "closes at once": say(b""),
    "silent": be_silent,
    "not HTTP": say(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "HTML": say(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><h1>It works!</h1>"),
    "asks for a password": say(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"),
    "huge headers": say(OK + b"X: " + b"a" * 5_000_000 + b"\r\n\r\n{}"),
    "endless headers": repeat(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 100),
    "endless body": repeat(OK + b"\r\n", b"[" * 65_536),
    "slow drip": drip(OK + b'\r\n{"proof":"00'),
    "deep JSON": say(OK + b"\r\n" + b"[" * 7_000),
    "not a proof": say(OK + b'\r\n{"proof":["a",{}]}'),
    "wrong proof": say(OK + b'\r\n{"proof":"' + b"0" * 64 + b'"}'),
    "another alphabet": say(OK + b'\r\n{"proof":"\\u0660\\ud800"}'),
}


def prove_then(token: str, launch: Launch, then: Answer) -> Answer:
    """Knows the token, which no stranger does: what a command meets that is not to trust even then."""

    def answer(listener: Listener, connection: socket.socket, request: bytes) -> None:
        target = urlsplit(request.split(b" ")[1].decode())
        if target.path != "/api/v1/session/proof":
            then(listener, connection, request)
            return
        at = Launch(launch.id, listener.port, launch.pid)
        proof = prove(token, at, parse_qs(target.query)["nonce"][0])
        connection.sendall(OK + b"\r\n" + json.dumps({"proof": proof}).encode())

    return answer
