"""Ids follow time, also where many images share one second."""

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import generations
from mysticanvas.db.images.generations import NewGeneration
from mysticanvas.domain.generation import SECONDS_OF_2010, GenerationId, Recipe, TimestampSource

MOMENT_MS = 1_785_000_000_000


def add(tx: WriteTx, timestamp_ms: int, times: int = 1) -> list[GenerationId]:
    new = [NewGeneration(Recipe(), "{}", timestamp_ms, TimestampSource.MTIME, model_id=None, problems=[])] * times
    return [image for image, _ in generations.add_all(tx, new, parser_version=1, app_version="test", now_ms=0)]


def test_an_id_begins_with_its_second(database: Database) -> None:
    [image] = database.write(add, MOMENT_MS)
    assert image >> 8 == MOMENT_MS // 1000 - SECONDS_OF_2010


def test_a_full_second_spills_into_seconds_soon_after(database: Database) -> None:
    images = [image for times in (1, 700, 1, 2_298) for image in database.write(add, MOMENT_MS, times)]
    assert len(set(images)) == 3_000
    assert max(images) - min(images) <= 2 * 3_000


def test_a_time_before_2010_has_a_negative_id_that_begins_with_its_second(database: Database) -> None:
    [early] = database.write(add, -86_400_000)
    assert early >> 8 == -86_400 - SECONDS_OF_2010
    [at_its_start] = database.write(add, SECONDS_OF_2010 * 1000)
    assert at_its_start == 1


def test_a_time_far_ahead_has_an_id_that_a_browser_could_hold(database: Database) -> None:
    assert database.write(add, 8_204_889_600_000)[0] < 1 << 53
