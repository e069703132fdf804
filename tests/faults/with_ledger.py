"""MystiCanvas, whose every applied result is written down in the same transaction, and whose workers'
answers take their time on the way: so that a kill meets work at every stage, and nothing is applied twice
or lost without a trace."""

import random
import threading
from dataclasses import replace

from mysticanvas.app import features
from mysticanvas.app.cli import main
from mysticanvas.db import event_log
from mysticanvas.jobs.dispatcher import Dispatcher
from mysticanvas.jobs.kinds import KINDS

LEDGER = "ledger"
LATEST_S = 0.12


def entries_of(kind, payload):
    """What a job does, in a word for each image: a batch may be taken apart. Each is asked for once. Blocks
    of prompts are asked for anew as more prompts come, and say nothing here."""
    images = payload.get("generations") or [image for image in (payload.get("generation"),) if image is not None]
    return [f"{kind} {image}" for image in images]


def keep_a_ledger():
    features.load()
    for kind, how in list(KINDS.items()):
        KINDS[kind] = replace(how, apply=_written_down(kind, how.apply))
    Dispatcher._on_answer = _late(Dispatcher._on_answer)


def _written_down(kind, apply):
    def apply_and_write_down(tx, payload, answer):
        apply(tx, payload, answer)
        for entry in entries_of(kind, payload):
            event_log.append(tx, level="info", kind=LEDGER, subject=entry, data={}, now_ms=0)

    return apply_and_write_down


def _late(on_answer):
    def later(self, job, future):
        timer = threading.Timer(random.uniform(0, LATEST_S), on_answer, (self, job, future))
        timer.daemon = True
        timer.start()

    return later


if __name__ == "__main__":
    keep_a_ledger()
    main()
