"""The durable queue (J1-J9)."""

from mysticanvas.db.database import Database
from mysticanvas.jobs import control as job_control
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queries import JobSelection
from mysticanvas.jobs.types import JobPriority

KIND = "thumb"
MOST_ATTEMPTS = 3


def queue(database: Database, *keys: str, priority: int = JobPriority.NORMAL) -> None:
    for key in keys:
        database.write(job_queue.enqueue, job_queue.NewJob(KIND, {"generation": 1}, key, priority), now_ms=1_000)


def claim(database: Database, limit: int = 10, *, owner_id: str = "monday", now_ms: int = 2_000) -> list[job_queue.Job]:
    return database.write(job_queue.claim, owner_id=owner_id, limit=limit, now_ms=now_ms)


def counts(database: Database) -> tuple[int, int, int, int]:
    [state] = database.read(job_queries.list_states)
    return state.waiting, state.running, state.done, state.failed


def test_the_higher_priority_goes_first_and_the_older_among_equals(database: Database) -> None:
    queue(database, "a", "b")
    queue(database, "c", priority=JobPriority.IN_VIEW)
    ids = [job.id for job in claim(database)]
    assert ids == [3, 1, 2]


def test_a_result_counts_only_once_and_only_with_its_token(database: Database) -> None:
    queue(database, "a")
    [job] = claim(database)
    database.write(job_queue.requeue_orphaned, owner_id="tuesday", now_ms=3_000)
    [again] = claim(database, owner_id="tuesday")
    assert not database.write(job_queue.finish, job, now_ms=4_000)
    assert database.write(job_queue.finish, again, now_ms=4_000)
    assert not database.write(job_queue.finish, again, now_ms=4_000)
    assert counts(database) == (0, 0, 1, 0)


def test_a_claim_of_an_earlier_boot_is_taken_back_and_burns_no_attempt(database: Database) -> None:
    queue(database, "a")
    claim(database)
    assert database.write(job_queue.requeue_orphaned, owner_id="monday", now_ms=3_000) == 0
    assert database.write(job_queue.requeue_orphaned, owner_id="tuesday", now_ms=3_000) == 1
    [job] = claim(database, owner_id="tuesday")
    assert job.attempts == 1


def test_the_same_thing_waits_once_but_may_wait_while_it_runs(database: Database) -> None:
    queue(database, "a", "a")
    assert len(claim(database)) == 1
    queue(database, "a")
    assert counts(database) == (1, 1, 0, 0)


def test_a_second_crash_parks_a_job(database: Database) -> None:
    queue(database, "a")
    for now_ms in (10_000, 10_000_000):
        [job] = claim(database, now_ms=now_ms)
        database.write(
            job_queue.fail, job, error="it crashed", crashed=True, now_ms=now_ms, most_attempts=MOST_ATTEMPTS
        )
    assert counts(database) == (0, 0, 0, 1)
    [parked] = database.read(job_queries.list_failed, limit=10)
    assert (parked.error, parked.crashes) == ("it crashed", 2)


def test_errors_are_tried_again_later_until_the_attempts_are_used_up(database: Database) -> None:
    queue(database, "a")
    now_ms = 10_000
    for _ in range(MOST_ATTEMPTS):
        [job] = claim(database, now_ms=now_ms)
        database.write(job_queue.fail, job, error="busy", crashed=False, now_ms=now_ms, most_attempts=MOST_ATTEMPTS)
        assert claim(database, now_ms=now_ms) == []
        now_ms += job_queue.LAST_RETRY_MS * 2
    assert counts(database) == (0, 0, 0, 1)
    assert job_control.retry(database, JobSelection(), now_ms=now_ms) == 1
    assert len(claim(database, now_ms=now_ms)) == 1


def test_a_paused_kind_is_not_claimed(database: Database) -> None:
    queue(database, "a")
    database.write(job_queue.set_paused, kind=KIND, value=True)
    assert claim(database) == []
    database.write(job_queue.set_paused, kind=KIND, value=False)
    assert len(claim(database)) == 1


def test_what_is_in_view_is_moved_forward(database: Database) -> None:
    queue(database, "a", "b", "c")
    database.write(job_queue.raise_priority, kind=KIND, unique_keys=["c"], priority=JobPriority.IN_VIEW)
    assert [job.id for job in claim(database, 1)] == [3]
