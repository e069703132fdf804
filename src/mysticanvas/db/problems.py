"""What the user must know until it is over, such as a full disk: one sentence for each source."""

from collections.abc import Callable
from threading import Lock


class Problems:
    """May be used by any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sentences: dict[str, str] = {}
        self._listeners: list[Callable[[str | None], None]] = []

    @property
    def current(self) -> str | None:
        """All sentences, the oldest first; None without any."""
        with self._lock:
            return " ".join(self._sentences.values()) or None

    def of(self, source: str) -> str | None:
        return self._sentences.get(source)

    def report(self, source: str, sentence: str | None) -> bool:
        """Set the sentence of a source, None when its problem is over. Returns whether that is a change."""
        with self._lock:
            if self._sentences.get(source) == sentence:
                return False
            if sentence is None:
                del self._sentences[source]
            else:
                self._sentences[source] = sentence
        current = self.current
        for listener in self._listeners:
            listener(current)
        return True

    def on_change(self, listener: Callable[[str | None], None]) -> None:
        """Calls `listener` with `current` when it changes, on the thread that reports; it must return quickly."""
        self._listeners.append(listener)
