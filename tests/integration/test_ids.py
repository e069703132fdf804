"""Ids follow time, also where many images share one second."""

from mysticanvas.domain.generation import SECONDS_OF_2010, GenerationId, Recipe, TimestampSource
from mysticanvas.store import generations
from mysticanvas.store.database import Database, WriteTx

MOMENT_MS = 1_785_000_000_000


def add(tx: WriteTx, timestamp_ms: int) -> GenerationId:
    return generations.add(
        tx,
        Recipe(),
        timestamp_ms=timestamp_ms,
        timestamp_source=TimestampSource.MTIME,
        model_id=None,
        problems=[],
        parser_version=1,
        app_version="test",
        now_ms=0,
    )


def test_an_id_begins_with_its_second(database: Database) -> None:
    image = database.write(add, MOMENT_MS)
    assert image >> 8 == MOMENT_MS // 1000 - SECONDS_OF_2010


def test_a_full_second_spills_into_seconds_soon_after(database: Database) -> None:
    def fill(tx: WriteTx) -> list[GenerationId]:
        return [add(tx, MOMENT_MS) for _ in range(3_000)]

    images = database.write(fill)
    assert len(set(images)) == 3_000
    assert max(images) - min(images) <= 2 * 3_000


def test_a_time_before_2010_and_one_far_ahead_have_ids_too(database: Database) -> None:
    assert database.write(add, -86_400_000) > 0
    assert database.write(add, 8_204_889_600_000) < 1 << 53
