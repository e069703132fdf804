"""A planted bug: deliveries to hooks are recorded in another transaction than the images, some time later."""

import threading

from mysticanvas.app.cli import main
from mysticanvas.db.database import Database
from mysticanvas.features.event_hooks import recorder

# Longer than a gallery of the test runs before it is killed.
LATE_S = 30.0


def record_late(database: Database, file, now_ms):
    late = recorder.HookRecorder(file, now_ms)

    def wait(changes):
        if changes.added:
            threading.Timer(LATE_S, lambda: database.write_later(late.record, changes)).start()

    database.after_commit(wait)
    return recorder.nullcontext()


if __name__ == "__main__":
    from mysticanvas.features.event_hooks import feature

    loops = feature.FEATURE.background
    object.__setattr__(loops[0], "start", record_late)
    record_late.__annotations__.update(
        file=recorder.HookFile, now_ms=recorder.start_recording.__annotations__["now_ms"]
    )
    main()
