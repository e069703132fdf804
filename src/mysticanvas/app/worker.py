"""The child side: one task after the other from standard input, answers to standard output.

Ends when its input ends, so it outlives no Orchestrator, not even one that was killed.
"""

import gc
import os
import signal
import sys

from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.autotag.types import AskForTags
from mysticanvas.features.duplicates.types import HashPicture
from mysticanvas.features.file_hashes import task as file_hash_task
from mysticanvas.features.file_hashes.types import HashFile
from mysticanvas.features.importing import list_task, read_task, reparse_task
from mysticanvas.features.importing.types import ListFolder, ReadImages, ReadKept
from mysticanvas.features.models import task as model_task
from mysticanvas.features.models.task_types import HashModel, ListModels, ReadModel
from mysticanvas.features.semantic.types import EmbedTexts
from mysticanvas.features.verify import task as verify_task
from mysticanvas.features.verify.types import VerifyFiles
from mysticanvas.features.vision.types import LookAtPictures
from mysticanvas.features.wd_tagger.types import TagPicture
from mysticanvas.worker.protocol import BrokenPipeFrameError, answer_frame, error_frame, read_frame, task_of

NICE = 5


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_memory(int(sys.argv[1]))
    if sys.argv[2] == "1" and hasattr(os, "nice"):
        # The gallery goes first; on Windows the process was started so.
        os.nice(NICE)
    # Answers are freed as they are sent; looking for cycles after every few hundred objects finds none.
    gc.set_threshold(50_000, 20, 20)
    # Whatever a library prints must not reach the pipe of answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    tasks = sys.stdin.buffer
    try:
        while (frame := read_frame(tasks)) is not None:
            answers.write(_answer(frame.id, task_of(frame)))
    except (BrokenPipeFrameError, BrokenPipeError):
        sys.exit(0)


def _answer(number: int, task: Task) -> bytes:
    try:
        return answer_frame(number, run(task))
    except MystiCanvasError as error:
        return error_frame(number, str(error))
    except MemoryError:
        return error_frame(number, "Reading this file takes more memory than it may.")
    except Exception as error:  # noqa: BLE001 - one file's fault must not end the process
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error_frame(number, f"MystiCanvas cannot read this file ({type(error).__name__}: {error}).")


def run(task: Task) -> Answer:
    """Do one task here and now."""
    match task:
        case ListFolder():
            return list_task.run(task)
        case ReadImages():
            return read_task.run(task)
        case HashFile():
            return file_hash_task.run(task)
        case ListModels():
            return model_task.list_folder(task)
        case ReadModel():
            return model_task.read(task)
        case HashModel():
            return model_task.compute_hashes(task)
        case ReadKept():
            return reparse_task.run(task)
        case EmbedTexts():
            # So are the models, where texts are.
            from mysticanvas.features.semantic import task as semantic_task

            return semantic_task.run(task)
        case AskForTags():
            from mysticanvas.features.autotag import task as autotag_task

            return autotag_task.run(task)
        case VerifyFiles():
            return verify_task.run(task)
        case TagPicture():
            # So is the model's runtime.
            from mysticanvas.features.wd_tagger import task as wd_tagger_task

            return wd_tagger_task.run(task)
        case LookAtPictures():
            from mysticanvas.features.vision import task as vision_task

            return vision_task.run(task)
    # libvips is loaded only where pixels are wanted.
    from mysticanvas.features.thumbnails import task as thumbnail_task

    return thumbnail_task.run_hash(task) if isinstance(task, HashPicture) else thumbnail_task.run(task)


def limit_memory(limit_bytes: int) -> None:
    """Address space is what can be limited; libraries map about this much that they never touch."""
    try:
        import resource
    except ImportError:
        # Windows has no such limit; there the pool watches the time alone.
        return
    mapped_unused = 768 * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes + mapped_unused, limit_bytes + mapped_unused))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
