"""`Library`: opens a library, and gives access to its parts."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self

from mysticanvas.cli.client import Client, connect, make_absolute, set_in_process_opener, wait_for_jobs
from mysticanvas.cli.options import load_settings
from mysticanvas.domain.errors import InvalidInputError, LibraryError
from mysticanvas.library.edits import ImageEdits
from mysticanvas.library.from_json import read_image, read_progress, read_report
from mysticanvas.library.organizing import Collections, History, Tags
from mysticanvas.library.records import Image, ImportProgress, ImportReport
from mysticanvas.library.search import ImageSearch
from mysticanvas.settings import Settings

# Seconds that one request waits for progress of an import.
_POLL_S = 0.5


class Library:
    """A library of images. Use it as a context manager, or call `close`. All methods may be called from any thread.

    Errors are subclasses of `mysticanvas.domain.errors.MystiCanvasError`, and each message is a sentence for the user.
    """

    def __init__(self, connection: AbstractContextManager[Client]) -> None:
        """Use `Library.open`."""
        self._connection = connection
        self._opened: Client | None = connection.__enter__()
        self._closing = threading.Lock()
        self.edit = ImageEdits(self._get_client)
        self.tags = Tags(self._get_client)
        self.collections = Collections(self._get_client)
        self.history = History(self._get_client)

    @classmethod
    def open(cls, folder: str | PathLike[str] | None = None) -> Self:
        """Opens the library in `folder`, or the default library, and creates it if it does not exist.

        Uses the running gallery if there is one. Otherwise the library is opened in this process and locked until
        `close`. Raises `LibraryError` if it cannot be used.
        """
        set_in_process_opener(_open_in_process)
        return cls(connect(load_settings(None if folder is None else Path(folder))))

    def close(self) -> None:
        """Closes the library. Calling it twice does nothing."""
        with self._closing:
            is_open, self._opened = self._opened is not None, None
        if is_open:
            self._connection.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def search(self, query: str = "", *, limit: int | None = None) -> ImageSearch:
        """The images that match `query`, which is written as in the gallery. Without a limit, all of them.

        Nothing is read until the result is iterated; a query that cannot be parsed raises `QueryError` then.
        """
        return ImageSearch(self._get_client, query, limit)

    def get(self, uuid: str) -> Image:
        """Raises `NotFoundError` if there is no image with this UUID."""
        return read_image(self._get_client().get(f"/api/v1/images/{uuid}"))

    def import_folder(
        self,
        folder: str | PathLike[str],
        *,
        watch: bool = True,
        dry_run: bool = False,
        on_progress: Callable[[ImportProgress], object] | None = None,
    ) -> ImportReport:
        """Imports a folder and returns the report. With `watch`, the gallery also imports new files later.

        Your files stay where they are and are never changed. Raises `InvalidInputError` if the import failed as a
        whole; files that could not be read are in the report.
        """
        client = self._get_client()
        asked = {"paths": [make_absolute(Path(folder))], "watch": watch, "dry_run": dry_run}
        started = client.post("/api/v1/imports", asked)["id"]
        while True:
            reply = client.get(f"/api/v1/imports/{started}", wait=_POLL_S)
            if on_progress is not None:
                on_progress(read_progress(reply["progress"]))
            if reply["report"] is not None:
                break
        if reply["progress"]["state"] == "failed":
            raise InvalidInputError(reply["progress"]["message"])
        return read_report(reply["report"])

    def wait_for_jobs(self) -> None:
        """Waits until no background job, such as creating a thumbnail, is waiting or running."""
        wait_for_jobs(self._get_client())

    def back_up(self) -> Path:
        """Creates and verifies a backup, and returns its file."""
        return Path(self._get_client().post("/api/v1/backups")["path"])

    def _get_client(self) -> Client:
        client = self._opened
        if client is None:
            raise LibraryError("This library is closed. Open it again with Library.open.")
        return client


def _open_in_process(settings: Settings) -> AbstractContextManager[Client]:
    # Imported here, because a running gallery needs none of it.
    from mysticanvas.app import features
    from mysticanvas.app.in_process import open_in_process

    features.load()
    return open_in_process(settings)
