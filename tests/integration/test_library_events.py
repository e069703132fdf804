"""`Library.events` against a real gallery: no event is lost, and the wait ends when it should."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.serving import Served
from tests.pictures import write_pictures

from mysticanvas import Library
from mysticanvas.domain.errors import InvalidInputError, LibraryError
from mysticanvas.library import events as library_events


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "library").mkdir()
    write_pictures(tmp_path / "pictures", 2)
    served = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
    served.wait_until_idle(2)
    yield served
    served.stop()


def test_an_event_reports_an_edit_that_was_made_after_the_call(served: Served) -> None:
    with Library.open(served.library) as library:
        events = library.events("image.changed", "edit.done")
        first = library.search().first()
        assert first is not None
        edit = library.edit.rate(first, 4)
        # A thumbnail may have been created just before.
        changed = next(one for one in events if first.uuid in one.uuids)
        done = next(one for one in events if one.kind == "edit.done")
        assert changed.kind == "image.changed"
        assert (done.kind, done.data["id"], done.uuids) == ("edit.done", edit.id, ())
        library.edit.rate(first, 5)
        later = library.events("image.changed", since=changed.id)
        assert next(later).id > changed.id
        events.close()
        assert list(events) == []


def test_closing_the_library_ends_the_wait_for_events(served: Served) -> None:
    library = Library.open(served.library)
    found: list[str] = []
    events = library.events("job.done")
    waiting = threading.Thread(target=lambda: found.extend(event.kind for event in events))
    waiting.start()
    library.close()
    waiting.join()
    assert found == []
    with pytest.raises(LibraryError, match="is closed"):
        library.events()


def test_events_continue_after_a_restart_and_the_library_works_with_the_new_gallery(
    served: Served, tmp_path: Path
) -> None:
    with Library.open(served.library) as library, library.events("image.added") as events:
        served.stop()
        again = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
        try:
            # Messages of the time in between are lost.
            assert next(events).kind == "reset"
            write_pictures(tmp_path / "pictures", 1, first_seed=100)
            added = next(events)
            assert [library.get(uuid).seed for uuid in added.uuids] == [100]
        finally:
            again.stop()


def test_a_lost_connection_is_replaced_without_a_lost_event(served: Served) -> None:
    with Library.open(served.library) as library, library.events("image.changed") as events:
        for stars in (1, 2, 3):
            library.edit.rate("", stars)
            assert len(next(events).uuids) == 2
            assert events._stream is not None
            events._stream.interrupt()


def test_events_need_a_running_gallery(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Library.open(tmp_path / "other") as library, pytest.raises(LibraryError, match="mysticanvas serve"):
        library.events()
    with Library.open(served.library) as library:
        with pytest.raises(InvalidInputError, match=r"image\.added"):
            library.events("image.painted")
        with pytest.raises(InvalidInputError, match="ID"):
            library.events(since="yesterday")
        events = library.events()
        served.stop()
        monkeypatch.setattr(library_events, "RECONNECT_LIMIT_S", 0.0)
        with pytest.raises(LibraryError, match="was stopped"):
            next(event for event in events if event.kind == "reset")
