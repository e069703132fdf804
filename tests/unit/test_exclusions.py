"""What is never the user's own image, by the program it comes from, and exclude patterns."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec
from tests import growth

from mysticanvas.db import database
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.features.journal import files as journal_files
from mysticanvas.fs import exclusions, log_file
from mysticanvas.fs.exclusions import BY_PATTERN, Exclusions, clean_patterns
from mysticanvas.fs.gitignore import compile_patterns
from mysticanvas.fs.scanner import list_folder

OWN = ("a.png", "thumbnails/b.png", "temp/c.png", "ComfyUI_temp_abcde_00001_.png", "x_thumbnail.png", "originals/d.jpg")

# The program, files that are not the user's, and the user's own files beside them.
PROGRAMS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("MystiCanvas", ("lib/mysticanvas.db", "lib/thumbs/ab/abc-256.webp", "lib/backups/x.png"), ("lib/own/a.png",)),
    (
        "InvokeAI",
        ("outputs/images/thumbnails/a.webp", "outputs/images/thumbnails/gone.webp"),
        ("outputs/images/a.png",),
    ),
    ("ComfyUI", ("ComfyUI/temp/ComfyUI_temp_abcde_00001_.png",), ("ComfyUI/output/ComfyUI_00001_.png", "temp/a.png")),
    ("SwarmUI", ("a.swarmpreview.jpg", "a.swarmpreview.webp"), ("a.png",)),
    ("A1111", ("models/x.safetensors", "models/x.png", "models/x.preview.png"), ("models/y.png",)),
    ("Eagle", ("E.library/images/K1.info/fox_thumbnail.png",), ("E.library/images/K1.info/fox.png",)),
    ("Synology", ("@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg", "#recycle/a.png", "#snapshot/GMT/a.png"), ()),
    ("QNAP", (".@__thumb/a.jpg", "@Recycle/a.png", "@Recently-Snapshot/s/a.png"), ()),
    ("Windows", ("$RECYCLE.BIN/S-1-5/$R1.png", "System Volume Information/a.png", "RECYCLER/a.png"), ()),
    ("Linux", ("lost+found/a.png", ".Trash-1000/files/a.png", ".thumbnails/normal/a.png"), ()),
    ("macOS", ("__MACOSX/a.png", "._a.png", ".Trashes/501/a.png"), ("a.png",)),
    ("Apple Photos", ("P.photoslibrary/resources/derivatives/a.jpg",), ("P.photoslibrary/originals/0/a.jpg",)),
    ("Lightroom", ("C Previews.lrdata/a.jpg",), ()),
    ("Syncthing", (".stversions/a~20260101-000000.png", ".stfolder/a.png"), ()),
    ("Nextcloud", ("files_trashbin/files/a.png", "files_versions/a.png"), ("files/a.png",)),
    ("Git", (".git/a.png",), ()),
    ("Node.js", ("node_modules/x/a.png",), ()),
    ("Python", ("venv/lib/site-packages/matplotlib/a.png", "__pycache__/a.png"), ()),
)


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\x89PNG\r\n\x1a\n")


def list_all(root: Path, *patterns: str) -> set[str]:
    """Every image that a scan of the folder finds."""
    found, waiting = set(), [b""]
    while waiting:
        listing = list_folder(str(root).encode(), waiting.pop(), lambda _: True, patterns=patterns)
        found |= {stat.path_bytes.decode() for stat in listing.images}
        waiting += listing.folders
    return found


@pytest.mark.parametrize(("program", "theirs", "own"), PROGRAMS, ids=[program for program, *_ in PROGRAMS])
def test_what_a_program_made_is_not_an_image_of_the_user(
    program: str, theirs: tuple[str, ...], own: tuple[str, ...], tmp_path: Path
) -> None:
    put(tmp_path, *theirs, *own)
    assert list_all(tmp_path) == set(own)
    # A scan of one folder, and so the watcher, decides like a scan of all.
    for path in theirs:
        inside = path.rpartition("/")[0].encode()
        assert path.encode() not in [s.path_bytes for s in list_folder(str(tmp_path).encode(), inside, bool).images]
        excluded = Exclusions(str(tmp_path).encode())
        assert path.endswith((".db", ".safetensors")) or excluded.find_file_source(path.encode())


def test_the_same_names_elsewhere_are_images_of_the_user(tmp_path: Path) -> None:
    put(tmp_path, *OWN)
    assert list_all(tmp_path) == set(OWN)


def test_every_program_of_the_tables_has_a_test() -> None:
    tables = {*exclusions.PROGRAM_FOLDERS, *exclusions.PROGRAM_FILES, *exclusions.PROGRAM_FILES_IN}
    assert tables <= {program for program, *_ in PROGRAMS}


def test_a_library_is_recognized_by_the_names_that_it_uses() -> None:
    assert exclusions.LIBRARY_DATABASE.decode() == database.FILE_NAME
    assert {journal_files.FOLDER.encode(), log_file.FOLDER.encode()} <= exclusions.LIBRARY_FOLDERS


def test_patterns_mean_what_they_mean_in_git(tmp_path: Path) -> None:
    names = ("a.png", "drafts/a.png", "x/drafts/b.png", "t.tmp.png", "keep.tmp.png", "old/a.png", "old/keep.png")
    put(tmp_path, *names)
    kept = list_all(tmp_path, "drafts/", "!drafts/a.png", "*.tmp.png", "!keep.tmp.png", "/old/*", "!/old/keep.png")
    assert kept == {"a.png", "keep.tmp.png", "old/keep.png"}
    assert list_folder(str(tmp_path).encode(), b"x/drafts", bool, patterns=["drafts/"]).images == []
    assert Exclusions(str(tmp_path).encode(), ("drafts/",)).find_file_source(b"x/drafts/b.png") == BY_PATTERN


def test_excluded_files_and_folders_are_counted(tmp_path: Path) -> None:
    put(tmp_path, "a.png", "b.png", "@eaDir/c.png", "d/e.png")
    listing = list_folder(str(tmp_path).encode(), b"", bool, patterns=["b.png", "d/"])
    assert listing.not_shown == {"excluded files": 1, "excluded folders": 2}


@pytest.mark.parametrize("pattern", ["!", "#comment", "a[", "x" * 401, "a\nb", "\\"])
def test_a_line_that_excludes_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInputError, match="exclude pattern"):
        clean_patterns([pattern])
    assert clean_patterns(["a/\n", "", "  ", "a/", "b"]) == ["a/", "b"]


_PATTERNS = st.lists(
    st.lists(st.sampled_from(["a", "b", "*", "**", "/", "?", "*a", "[ab]", "b*", "/**/", "!", "."]), min_size=1)
    .map("".join)
    .filter(exclusions._is_pattern),
    min_size=1,
    max_size=3,
)
_PATHS = st.lists(st.text("aab.", min_size=1, max_size=4), min_size=1, max_size=6).map("/".join)


@settings(deadline=None)
@given(_PATTERNS, _PATHS, st.sampled_from(["", "/"]))
def test_a_pattern_matches_what_it_matches_in_pathspec(patterns: list[str], path: str, end: str) -> None:
    expected = GitIgnoreSpec.from_lines(patterns, backend="simple").match_file(path + end)
    assert compile_patterns(patterns).match_file(path + end) is expected


def match_stars(size: int) -> Callable[[], object]:
    name = b"a" * size
    return lambda: Exclusions(b"/nowhere", ("*a*a*b",)).find_file_source(name)


def match_folders(size: int) -> Callable[[], object]:
    path = b"a/" * size + b"a"
    compiled = compile_patterns(["a/**/a/**/a/**/b"])
    return lambda: compiled.match_file(path.decode())


@pytest.mark.parametrize("prepare", [match_stars, match_folders])
def test_the_time_to_match_grows_in_proportion(prepare: Callable[[int], Callable[[], object]]) -> None:
    growth.check_in_proportion(prepare, growth.doublings(640, 4))


@pytest.mark.parametrize("pattern", ["*a" * 17 + "*b", "a**" * 60 + "b", "**/a/" * 60 + "b", "a?*" * 60 + "b"])
def test_no_number_of_stars_takes_long(pattern: str) -> None:
    assert clean_patterns([pattern]) == [pattern]
    excluded = Exclusions(b"/nowhere", (pattern,))
    assert excluded.find_file_source(b"a" * 200 + b".png") is None
    assert excluded.find_file_source(b"a/" * 200 + b"a.png") is None
