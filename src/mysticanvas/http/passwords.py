"""The password of a library that other machines can reach, and a limit on attempts to guess it."""

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mysticanvas.domain.errors import InvalidInputError, MystiCanvasError
from mysticanvas.fs.durable import replace
from mysticanvas.http.limits import get_network

PASSWORD_FILE = "password"
SHORTEST = 10
LONGEST = 200
# Failed attempts of one network before it is refused for a while, and of all before each attempt is delayed.
FREE_MISTAKES = 5
FREE_MISTAKES_OF_ALL = 50
LONGEST_WAIT_S = 300.0
# What each further mistake adds to the delay, and after how long without one it is taken off again.
DELAY_STEP_S = 0.05
DELAY_FORGETS_S = 1.0
LONGEST_DELAY_S = 3.0
CLIENTS_KEPT = 1_000


class TooManyAttemptsError(MystiCanvasError):
    """Too many failed attempts. The message says how long to wait, as does `wait_s`."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


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
    """Checks passwords on one event loop, one attempt at a time. Each check takes 64 MiB and about 50 ms. `clock`
    returns the time in seconds, and `pause` waits for a number of seconds.

    Wrong passwords are counted per network, and only that network is rejected for a while. If many networks send wrong
    passwords, attempts are delayed but never rejected, so the owner cannot be locked out. A browser that has signed in
    before (`device`) has its own count and is not delayed by other clients.
    """

    def __init__(
        self,
        library: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._file = library / PASSWORD_FILE
        self._clock = clock
        self._pause = pause
        self._mistakes = Mistakes(clock)
        self._delay = Delay(clock)
        self._checking = asyncio.Lock()
        self._checking_device = asyncio.Lock()

    @property
    def is_set(self) -> bool:
        return self._file.is_file()

    async def accepts(self, password: str, *, address: str, device: str | None = None) -> bool:
        """Returns False if the password is wrong or no password is set. After too many mistakes from the same network
        or device, raises `TooManyAttemptsError` without checking the password. `device` is the verified ID of a known
        browser."""
        client = get_network(address) if device is None else f"device {device}"
        self._mistakes.refuse_too_many(client)
        if device is None:
            await self._pause(self._delay.seconds)
        async with self._checking if device is None else self._checking_device:
            # Others of the same client may have been wrong in the meantime.
            self._mistakes.refuse_too_many(client)
            if await asyncio.to_thread(self._is_right, password):
                self._mistakes.forget(client)
                return True
            self._mistakes.count(client)
            self._delay.count_mistake()
            return False

    def _is_right(self, password: str) -> bool:
        try:
            kept = self._file.read_text("ascii")
            return bool(password) and len(password) <= LONGEST and PasswordHasher().verify(kept, password)
        except (OSError, ValueError, VerificationError, InvalidHashError):
            return False


class Mistakes:
    """Counts the failed attempts of the most recent clients."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # How many, and when the last was.
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def refuse_too_many(self, client: str) -> None:
        """Raises `TooManyAttemptsError` while this client must wait."""
        count, last_s = self._counts.get(client, (0, 0.0))
        if count < FREE_MISTAKES:
            return
        wait_s = min(LONGEST_WAIT_S, 2.0 ** min(count - FREE_MISTAKES + 1, 20)) - (self._clock() - last_s)
        if wait_s > 0:
            raise TooManyAttemptsError(f"Too many attempts. Try again in {wait_s:.0f} s.", wait_s)

    def count(self, client: str) -> None:
        count, last_s = self._counts.pop(client, (0, 0.0))
        # Old mistakes no longer count.
        if self._clock() - last_s > 4 * LONGEST_WAIT_S:
            count = 0
        self._counts[client] = (count + 1, self._clock())
        while len(self._counts) > CLIENTS_KEPT:
            self._counts.popitem(last=False)

    def forget(self, client: str) -> None:
        self._counts.pop(client, None)


class Delay:
    """The delay of each attempt, which increases with the recent failed attempts of all clients."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._mistakes = 0.0
        self._last_s = clock()

    @property
    def seconds(self) -> float:
        return min(LONGEST_DELAY_S, max(0.0, (self._lately - FREE_MISTAKES_OF_ALL) * DELAY_STEP_S))

    @property
    def _lately(self) -> float:
        return max(0.0, self._mistakes - (self._clock() - self._last_s) / DELAY_FORGETS_S)

    def count_mistake(self) -> None:
        most = FREE_MISTAKES_OF_ALL + LONGEST_DELAY_S / DELAY_STEP_S
        self._mistakes, self._last_s = min(most, self._lately + 1), self._clock()
