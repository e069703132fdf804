"""What can go wrong, as a person would put it.

    MystiCanvasError
    ├── InvalidInputError      what was asked makes no sense as written
    │   └── QueryError             … and `position` says where
    ├── NotFoundError          no such image, job, folder …
    ├── ConflictError          the world has moved on since it was asked
    ├── LibraryError           the library itself cannot be used
    │   ├── LibraryBusyError       another Orchestrator holds it
    │   ├── ForeignFileError       not a MystiCanvas database
    │   ├── NewerLibraryError      written by a newer MystiCanvas
    │   └── DamagedLibraryError    the database does not pass its checks
    ├── UnreadableFileError    an image file cannot be read; str() is the reason
    ├── EndpointError          a model server did not give a usable answer
    ├── ModelUnusableError     a model of MystiCanvas' own is damaged or not the known one
    ├── TimeLimitError         a read took longer than it may
    └── TaskError              a worker did not deliver
        ├── TaskFailedError        the task raised; str() is its sentence
        ├── TaskTimedOutError      killed at its time limit
        ├── WorkerCrashedError     the process died (segfault, memory limit …)
        └── NobodyDidItError       whoever had the task went away; the task is not to blame

Each message is a sentence for the person. HTTP statuses and exit codes are mapped from these in
one place each: `app/http.py` and `app/cli.py`.
"""


class MystiCanvasError(Exception):
    """Root of every error that MystiCanvas raises on purpose."""


class InvalidInputError(MystiCanvasError):
    pass


class QueryError(InvalidInputError):
    """`position` counts characters from 0; `suggestion` is what may have been meant."""

    def __init__(self, message: str, position: int, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.suggestion = suggestion


class NotFoundError(MystiCanvasError):
    pass


class ConflictError(MystiCanvasError):
    pass


class LibraryError(MystiCanvasError):
    pass


class LibraryBusyError(LibraryError):
    pass


class ForeignFileError(LibraryError):
    pass


class NewerLibraryError(LibraryError):
    pass


class DamagedLibraryError(LibraryError):
    pass


class UnreadableFileError(MystiCanvasError):
    pass


class EndpointError(MystiCanvasError):
    pass


class ModelUnusableError(MystiCanvasError):
    pass


class TimeLimitError(MystiCanvasError):
    pass


class TaskError(MystiCanvasError):
    pass


class TaskFailedError(TaskError):
    pass


class TaskTimedOutError(TaskError):
    pass


class WorkerCrashedError(TaskError):
    """`stderr_tail` holds the last lines the process wrote, at most 4 kB."""

    def __init__(self, message: str, stderr_tail: str = "") -> None:
        super().__init__(message)
        self.stderr_tail = stderr_tail


class NobodyDidItError(TaskError):
    pass
