"""The password of a library that other machines can reach, and a limit on attempts to guess it."""

import os
import time
from collections import OrderedDict
from pathlib import Path
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mysticanvas.domain.errors import InvalidInputError, MystiCanvasError
from mysticanvas.fs.durable import replace

PASSWORD_FILE = "password"
SHORTEST = 10
LONGEST = 200
# Failed attempts of one address, and of all addresses, before the next attempt must wait.
FREE_MISTAKES = 5
FREE_MISTAKES_OF_ALL = 50
LONGEST_WAIT_S = 300.0
_ADDRESSES_KEPT = 1_000
_ALL = "*"


class TooManyAttemptsError(MystiCanvasError):
    """Too many failed attempts. The message says how long to wait."""


def save_password(library: Path, password: str) -> None:
    """Stores the password as an Argon2id hash, in a file that only its owner can read. Raises `InvalidInputError`."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInputError(f"A password must have {SHORTEST} to {LONGEST} characters.")
    library.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = library / f"{PASSWORD_FILE}.part"
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(PasswordHasher().hash(password))
    replace(temporary, library / PASSWORD_FILE)


def forget_password(library: Path) -> None:
    (library / PASSWORD_FILE).unlink(missing_ok=True)


class Passwords:
    """Thread-safe. Checks one attempt at a time; each takes 64 MiB and about 50 ms."""

    def __init__(self, library: Path) -> None:
        self._file = library / PASSWORD_FILE
        self._mistakes: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = Lock()

    @property
    def is_set(self) -> bool:
        return self._file.is_file()

    def accepts(self, password: str, *, address: str) -> bool:
        """False for a wrong password, or if no password is set. Raises `TooManyAttemptsError` without checking it."""
        with self._lock:
            for client, free in ((address, FREE_MISTAKES), (_ALL, FREE_MISTAKES_OF_ALL)):
                self._refuse_too_many(client, free)
            if self._is_right(password):
                self._mistakes.pop(address, None)
                return True
            for client in (address, _ALL):
                self._count(client)
            return False

    def _is_right(self, password: str) -> bool:
        try:
            kept = self._file.read_text("ascii")
            return bool(password) and len(password) <= LONGEST and PasswordHasher().verify(kept, password)
        except (OSError, ValueError, VerificationError, InvalidHashError):
            return False

    def _refuse_too_many(self, who: str, free: int) -> None:
        count, last_s = self._mistakes.get(who, (0, 0.0))
        if count < free:
            return
        wait_s = min(LONGEST_WAIT_S, 2.0 ** min(count - free + 1, 20)) - (time.monotonic() - last_s)
        if wait_s > 0:
            raise TooManyAttemptsError(f"Too many attempts. Try again in {wait_s:.0f} s.")

    def _count(self, who: str) -> None:
        count, last_s = self._mistakes.pop(who, (0, 0.0))
        # Old mistakes no longer count.
        if time.monotonic() - last_s > 4 * LONGEST_WAIT_S:
            count = 0
        self._mistakes[who] = (count + 1, time.monotonic())
        while len(self._mistakes) > _ADDRESSES_KEPT:
            oldest = next(one for one in self._mistakes if one != _ALL)
            del self._mistakes[oldest]
