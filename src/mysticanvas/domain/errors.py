"""The tree of errors.

    MystiCanvasError
    ├── InvalidInputError      the request is not valid
    │   └── QueryError             a search that cannot be parsed; `position` says where
    ├── NotFoundError          no such image, job, folder …
    ├── ConflictError          the state has changed since the request was made
    │   └── ConfirmationRequiredError  the user must confirm the request; `confirm` says how
    ├── LibraryError           the library itself cannot be used
    │   ├── LibraryBusyError       another process has it open (StrangerError: and is not the one that answers)
    │   ├── ForeignFileError       not a MystiCanvas database
    │   ├── NewerLibraryError      written by a newer version of MystiCanvas
    │   └── DamagedLibraryError    the database does not pass its checks
    ├── UnreadableFileError    an image file cannot be read; str() is the reason
    │   └── ImageTooLargeError     decoding the image would take too much memory or time
    ├── EndpointError          a model server did not give a usable answer
    ├── ModelUnusableError     a bundled model is damaged, or is not the expected one
    ├── TimeLimitError         a read exceeded its time limit
    └── TaskError              a worker returned no result
        ├── TaskFailedError        the task raised; str() is its message
        ├── TaskTimedOutError      the worker was killed at the time limit
        ├── WorkerCrashedError     the worker process died (segfault, memory limit …)
        └── NobodyDidItError       the executor went away; the task did not fail

Each message is a sentence for the user: what happened, why, and what to do. `app/http.py` maps the classes to
HTTP statuses, `app/cli.py` to exit codes.
"""


class MystiCanvasError(Exception):
    """Base of every error that MystiCanvas raises on purpose."""


class InvalidInputError(MystiCanvasError):
    pass


class QueryError(InvalidInputError):
    """`position` counts characters from 0; `suggestion` is a likely correction."""

    def __init__(self, message: str, position: int, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.suggestion = suggestion


class NotFoundError(MystiCanvasError):
    pass


class ConflictError(MystiCanvasError):
    pass


class ConfirmationRequiredError(ConflictError):
    """`confirm` is the field of the request that must be true for it to succeed."""

    def __init__(self, message: str, confirm: str) -> None:
        super().__init__(message)
        self.confirm = confirm


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


class ImageTooLargeError(UnreadableFileError):
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
    """`stderr_tail` holds the last lines that the process wrote, at most 4 kB."""

    def __init__(self, message: str, stderr_tail: str = "") -> None:
        super().__init__(message)
        self.stderr_tail = stderr_tail


class ExecutorUnavailableError(TaskError):
    pass
