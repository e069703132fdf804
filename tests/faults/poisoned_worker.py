"""A worker whose decoders have the faults that real ones have had: it dies of some files, hangs on others,
and takes all the memory there is for others. What is wrong with a file is in its name."""

import ctypes
import sys
import time

from mysticanvas.worker import main as worker

run_task = worker.run_task


def run_poisoned(task):
    path = getattr(task, "path_bytes", b"")
    if b"segfault" in path:
        print("decoding", path.decode(), file=sys.stderr, flush=True)
        ctypes.string_at(0)
    if b"hang" in path:
        time.sleep(3_600)
    if b"memory" in path:
        hoard = []
        while True:
            hoard.append(b"x" * (64 * 1024 * 1024))
    if b"poison" in b"".join(getattr(image, "file_name", "").encode() for image in getattr(task, "images", [])):
        ctypes.string_at(0)
    return run_task(task)


if __name__ == "__main__":
    worker.run_task = run_poisoned
    worker.main()
