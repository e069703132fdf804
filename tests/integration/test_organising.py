"""Tags, collections, Trash, templates and their undo, through the HTTP API as gallery and command line use it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.rows import add_images, name_of

from mysticanvas.cli.client import Client, connect
from mysticanvas.db.database import Database
from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError
from mysticanvas.domain.query import Field
from mysticanvas.domain.tag import make_tag_key
from mysticanvas.features.collections.service import rename_in_query
from mysticanvas.settings import Settings

IMAGES = 12


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Database.open(tmp_path / "library") as database:
        add_images(database, IMAGES, prompt=lambda n: "an even fox" if n % 2 == 0 else "an odd fox")
    with connect(Settings(library=tmp_path / "library", workers=1)) as client:
        yield client


def bulk(client: Client, marks: dict[str, Any], *numbers: int, query: str | None = None) -> dict[str, Any]:
    chosen = {"query": query} if query is not None else {"uuids": [name_of(n) for n in numbers]}
    done: dict[str, Any] = client.post("/api/v1/edits", chosen | {"set": marks})
    return done


def tag(client: Client, do: str, **args: Any) -> dict[str, Any]:
    done: dict[str, Any] = client.post(f"/api/v1/tags:{do}", args)
    return done


def shown(client: Client, number: int) -> list[str]:
    return [one["name"] for one in client.get(f"/api/v1/images/{name_of(number)}/tags")["tags"]]


def count(client: Client, name: str) -> int:
    return int(client.get("/api/v1/tags/by-name", name=name)["tag"]["images"])


def undo(client: Client) -> dict[str, Any]:
    done: dict[str, Any] = client.post("/api/v1/edits:undo")
    return done


def test_one_request_reaches_all_that_a_search_finds_and_one_undo_takes_it_back(client: Client) -> None:
    before = client.text("/api/v1/library/export")
    done = bulk(client, {"tags": {"add": ["Arctic_Fox", "snow"]}}, query="even")
    assert (done["state"], done["changed"]) == ("done", 6)
    assert shown(client, 0) == ["Arctic_Fox", "snow"]
    assert shown(client, 1) == []
    assert count(client, "arctic fox") == 6
    undo(client)
    assert client.text("/api/v1/library/export") == before
    with pytest.raises(NotFoundError):
        count(client, "snow")


def test_an_alias_shows_as_its_tag_and_taking_it_away_gives_back_what_was(client: Client) -> None:
    bulk(client, {"tags": {"add": ["vixen"]}}, 0, 1)
    bulk(client, {"tags": {"add": ["fox"]}}, 1, 2)
    before = client.text("/api/v1/library/export")
    tag(client, "alias", tag="vixen", of="fox")
    assert [shown(client, n) for n in (0, 1, 2)] == [["fox"]] * 3
    assert (count(client, "fox"), count(client, "vixen")) == (3, 0)
    assert bulk(client, {"tags": {"add": ["vixen"]}}, 3)["changed"] == 1
    assert shown(client, 3) == ["fox"]
    undo(client)
    tag(client, "unalias", tag="vixen")
    assert client.text("/api/v1/library/export") == before
    assert (count(client, "fox"), count(client, "vixen")) == (2, 2)


def test_circles_and_second_targets_are_refused_with_the_path(client: Client) -> None:
    tag(client, "alias", tag="a", of="b")
    tag(client, "alias", tag="b", of="c")
    with pytest.raises(ConflictError, match="c → a → b → c"):
        tag(client, "alias", tag="c", of="a")
    with pytest.raises(ConflictError, match="a → b → c"):
        tag(client, "alias", tag="a", of="z")
    tag(client, "imply", tag="poodle", implies="dog")
    tag(client, "imply", tag="dog", implies="animal")
    with pytest.raises(
        ConflictError,
        match=r"(animal → poodle → dog → animal|dog → animal → poodle → dog|poodle → dog → animal → poodle)",
    ):
        tag(client, "imply", tag="animal", implies="poodle")
    assert count(client, "a") == 0


def test_a_no_outranks_every_machine_and_what_implies_it(client: Client) -> None:
    tag(client, "imply", tag="poodle", implies="dog")
    bulk(client, {"tags": {"add": ["poodle"]}}, 0)
    assert shown(client, 0) == ["dog", "poodle"]
    bulk(client, {"tags": {"remove": ["dog"]}}, 0)
    assert shown(client, 0) == ["poodle"]
    bulk(client, {"tags": {"add": ["dog"]}}, 0)
    assert shown(client, 0) == ["dog", "poodle"]


def test_categories_are_not_crossed_unless_meant(client: Client) -> None:
    tag(client, "create", name="miku", category="character")
    tag(client, "create", name="mikulas", category="artist")
    with pytest.raises(ConflictError, match=r"character.*--across"):
        tag(client, "alias", tag="miku", of="mikulas")
    tag(client, "alias", tag="miku", of="mikulas", across=True)


def test_a_merge_does_what_its_trial_said_and_undo_splits_again(client: Client) -> None:
    bulk(client, {"tags": {"add": ["foxes"]}}, 0, 1, 2)
    bulk(client, {"tags": {"add": ["fox"]}}, 2, 3)
    tag(client, "imply", tag="foxes", implies="animal")
    client.post("/api/v1/collections", {"name": "All foxes", "query": "fox"})
    before = client.text("/api/v1/library/export")
    tried = client.post("/api/v1/tags:bulk-edit", {"text": "merge foxes -> fox", "dry_run": True})
    assert client.text("/api/v1/library/export") == before
    done = tag(client, "merge", tag="foxes", to="fox")
    assert tried["lines"][0]["images"] == done["changed"] == 3
    assert (count(client, "fox"), count(client, "animal")) == (4, 4)
    undo(client)
    assert client.text("/api/v1/library/export") == before
    assert (count(client, "fox"), count(client, "foxes"), count(client, "animal")) == (2, 3, 3)


def test_a_script_is_one_deed_and_is_refused_whole(client: Client) -> None:
    bulk(client, {"tags": {"add": ["red fox"]}}, 0, 1)
    before = client.text("/api/v1/library/export")
    script = """
        # tidy up
        split red fox -> red, fox
        imply fox -> animal
        rename animal -> creature
        retag red -> crimson
        delete red
    """
    done = client.post("/api/v1/tags:bulk-edit", {"text": script})
    assert done["edit"]["state"] == "done"
    assert [line["images"] for line in done["lines"]] == [2, 2, 0, 2, 0]
    assert shown(client, 0) == ["creature", "crimson", "fox"]
    undo(client)
    assert client.text("/api/v1/library/export") == before
    with pytest.raises(ConflictError, match="cycle"):
        client.post("/api/v1/tags:bulk-edit", {"text": "imply x -> y\nimply y -> z\nimply z -> x"})
    assert client.text("/api/v1/library/export") == before
    with pytest.raises(InvalidInputError, match="Line 2"):
        client.post("/api/v1/tags:bulk-edit", {"text": "imply x -> y\nimplode y"})


def test_a_vocabulary_goes_out_and_comes_in_again(client: Client, tmp_path: Path) -> None:
    script = "tag fox : animal\ntag re:zero : series\nalias vixen -> fox\nimply fox -> creature\nthreshold vision 0.4\n"
    script += "threshold llm 0.25 : fox\n"
    client.post("/api/v1/tags:bulk-edit", {"text": script})
    written = client.text("/api/v1/tags/export")
    assert "alias vixen -> fox" in written
    with connect(Settings(library=tmp_path / "another", workers=1)) as other:
        other.post("/api/v1/tags:bulk-edit", {"text": written})
        assert other.text("/api/v1/tags/export") == written


def test_tags_are_offered_with_what_they_lead_to_and_imply(client: Client) -> None:
    tag(client, "imply", tag="poodle", implies="dog")
    tag(client, "alias", tag="pudel", of="poodle")
    bulk(client, {"tags": {"add": ["pudel"]}}, 0, 1, 2)
    bulk(client, {"tags": {"add": ["pug"]}}, 3)
    offered = client.get("/api/v1/tags/completions", q="pu")["tags"]
    assert [(one["name"], one["alias_of"], one["implies"]) for one in offered] == [
        ("pudel", "poodle", ["dog"]),
        ("pug", None, []),
    ]


def test_the_tags_of_some_images_are_counted_among_them(client: Client) -> None:
    tag(client, "imply", tag="poodle", implies="dog")
    bulk(client, {"tags": {"add": ["poodle"]}}, 0, 1)
    bulk(client, {"tags": {"add": ["sofa"]}}, *range(8))
    view = client.post("/api/v1/snapshots", {"q": "sort:oldest"})["snapshot"]
    asked = {"snapshot": view, "ranges": [(0, 5)], "except": [1]}
    got = client.post("/api/v1/tags:count", asked)
    assert got["images"] == 4
    assert [(one["name"], one["images"], one["implied_by"]) for one in got["tags"]] == [
        ("sofa", 4, []),
        ("dog", 1, ["poodle"]),
        ("poodle", 1, []),
    ]


def test_the_vocabulary_is_read_from_any_place_in_three_orders(client: Client) -> None:
    for number in range(30):
        category = ("place", "character", None)[number % 3]
        tag(client, "create", name=f"tag {number:02}", **({"category": category} if category else {}))
    bulk(client, {"tags": {"add": ["tag 17"]}}, 0, 1)
    names = lambda **asked: [one["name"] for one in client.get("/api/v1/tags/slice", **asked)["tags"]]  # noqa: E731
    assert names(start=4, count=2) == ["tag 04", "tag 05"]
    assert names(sort="images", count=2) == ["tag 17", "tag 00"]
    assert names(sort="newest", count=1) == ["tag 29"]
    assert names(category="", q="tag 1", count=2) == ["tag 11", "tag 14"]
    assert client.get("/api/v1/tags/slice", category="place")["total"] == 10
    assert {one["category"]: one["tags"] for one in client.get("/api/v1/tag-categories")["categories"]} == {
        "": 10, "character": 10, "place": 10,
    }  # fmt: skip


def test_a_merged_tag_keeps_its_place_in_saved_searches() -> None:
    query = 'tag:foxes -tag:"Foxes" (tag:fox OR tag:"red foxes") foxes'
    assert rename_in_query(query, Field.TAG, "foxes", "arctic fox") == (
        'tag:"arctic fox" -tag:"arctic fox" (tag:fox OR tag:"red foxes") foxes'
    )
    for name in ("miku_(vocaloid)", "a\\b c\\", "(x) y"):
        written = rename_in_query("(tag:fox OR sea)", Field.TAG, "fox", name)
        assert rename_in_query(written, Field.TAG, make_tag_key(name), "fox") == "(tag:fox OR sea)"


# -- collections --------------------------------------------------------------------------------------


def test_a_collection_keeps_the_persons_order_and_counts_what_is_there(client: Client) -> None:
    uuid = client.post("/api/v1/collections", {"name": "Best", "notes": "for the wall"})["uuid"]
    bulk(client, {"collect": uuid}, 3, 1, 2, 5)
    order = lambda: client.get(f"/api/v1/collections/{uuid}/items")["uuids"]  # noqa: E731
    assert order() == [name_of(n) for n in (3, 1, 2, 5)]
    client.post(f"/api/v1/collections/{uuid}:reorder", {"images": [name_of(5), name_of(2)], "before": name_of(3)})
    assert order() == [name_of(n) for n in (5, 2, 3, 1)]
    assert bulk(client, {"collect": uuid}, 1, 7)["changed"] == 1
    before = client.text("/api/v1/library/export")
    bulk(client, {"trash": True}, 2)
    [shown_one] = client.get("/api/v1/collections")["collections"]
    assert shown_one["images"] == 4
    undo(client)
    assert client.text("/api/v1/library/export") == before
    client.delete(f"/api/v1/collections/{uuid}")
    assert client.get("/api/v1/collections")["collections"] == []
    undo(client)
    assert client.text("/api/v1/library/export") == before


def test_many_small_moves_never_mix_up_the_order(client: Client) -> None:
    uuid = client.post("/api/v1/collections", {"name": "Order"})["uuid"]
    bulk(client, {"collect": uuid}, *range(6))
    expected = list(range(6))
    for turn in range(120):
        moved = expected.pop(2 if turn % 2 else 1)
        expected.insert(1, moved)
        client.post(
            f"/api/v1/collections/{uuid}:reorder",
            {"images": [name_of(moved)], "before": name_of(expected[2])},
        )
    assert client.get(f"/api/v1/collections/{uuid}/items")["uuids"] == [name_of(n) for n in expected]


def test_a_smart_collection_is_a_search_until_it_is_frozen(client: Client) -> None:
    uuid = client.post("/api/v1/collections", {"name": "Even", "query": "even"})["uuid"]
    assert client.get("/api/v1/collections")["collections"][0]["images"] == 6
    with pytest.raises(InvalidInputError, match="smart"):
        bulk(client, {"collect": uuid}, 1)
    before = client.text("/api/v1/library/export")
    client.post(f"/api/v1/collections/{uuid}:convert-to-manual")
    bulk(client, {"collect": uuid}, 1)
    assert client.get("/api/v1/collections")["collections"][0]["images"] == 7
    undo(client)
    undo(client)
    assert client.text("/api/v1/library/export") == before


def test_collections_cannot_be_made_of_or_lie_in_themselves(client: Client) -> None:
    outer = client.post("/api/v1/collections", {"name": "Outer"})["uuid"]
    inner = client.post("/api/v1/collections", {"name": "Inner", "parent": outer})["uuid"]
    with pytest.raises(ConflictError, match="cannot contain itself"):
        client.patch(f"/api/v1/collections/{outer}", {"parent": inner})
    one = client.post("/api/v1/collections", {"name": "One", "query": "fox"})["uuid"]
    with pytest.raises(ConflictError, match="One → One"):
        client.patch(f"/api/v1/collections/{one}", {"query": "collection:One"})
    with pytest.raises(InvalidInputError):
        client.patch(f"/api/v1/collections/{one}", {"query": 'fox "'})


def found(client: Client, query: str) -> list[str]:
    return [one["uuid"] for one in client.get("/api/v1/images", q=query)["items"]]


def collection(client: Client, name: str, **args: Any) -> str:
    return str(client.post("/api/v1/collections", {"name": name} | args)["uuid"])


def test_a_collection_is_searched_by_name_or_uuid_and_stands_in_the_persons_order(client: Client) -> None:
    best = collection(client, "For the wall")
    bulk(client, {"collect": best}, 3, 8, 1)
    assert found(client, 'collection:"for the wall"') == found(client, f"in:{best}") == [name_of(n) for n in (8, 3, 1)]
    assert found(client, 'in:"for the wall" sort:manual') == [name_of(n) for n in (3, 8, 1)]
    assert found(client, "odd -in:for*") == [name_of(n) for n in (11, 9, 7, 5)]
    client.post(f"/api/v1/collections/{best}:reorder", {"images": [name_of(1)], "before": name_of(3)})
    assert found(client, 'in:"for the wall" sort:manual') == [name_of(n) for n in (1, 3, 8)]
    bulk(client, {"uncollect": best}, 3)
    assert found(client, 'in:"for the wall"') == [name_of(n) for n in (8, 1)]
    undo(client)
    bulk(client, {"trash": True}, 8)
    assert found(client, 'in:"for the wall"') == [name_of(n) for n in (3, 1)]
    assert client.post("/api/v1/snapshots", {"q": "in:wal"})["unknown"][0]["suggestion"] == 'collection:"For the wall"'


def test_a_smart_collection_is_made_of_others_and_counted_exactly(client: Client) -> None:
    best = collection(client, "Best")
    collection(client, "Even", query="even")
    collection(client, "Even best", query="in:even collection:best")
    bulk(client, {"collect": best}, 0, 1, 2, 3)
    counts = lambda: {one["name"]: one["images"] for one in client.get("/api/v1/collections")["collections"]}  # noqa: E731
    assert counts() == {"Best": 4, "Even": 6, "Even best": 2}
    bulk(client, {"collect": best}, 4)
    assert found(client, 'in:"even best"') == [name_of(n) for n in (4, 2, 0)]
    assert counts() == {"Best": 5, "Even": 6, "Even best": 3}


def test_no_name_and_no_undo_makes_a_collection_of_itself(client: Client) -> None:
    one = collection(client, "One", query="in:Two")
    with pytest.raises(ConflictError, match=r"Two → One → Two|One → Two → One"):
        collection(client, "Two", query="fox in:one")
    other = collection(client, "Other", query="in:One")
    with pytest.raises(ConflictError, match="→"):
        client.patch(f"/api/v1/collections/{other}", {"name": "two"})
    first = client.patch(f"/api/v1/collections/{one}", {"query": "fox"})["operation"]
    client.patch(f"/api/v1/collections/{other}", {"name": "two"})
    with pytest.raises(ConflictError, match="→"):
        client.post(f"/api/v1/edits/{first}/undo")
    assert found(client, "in:two") == found(client, "fox")


def test_searches_follow_a_collection_to_its_new_name(client: Client) -> None:
    best = collection(client, "Best")
    smart = collection(client, "Smart", query="even -in:BEST (collection:best OR sea)")
    before = client.text("/api/v1/library/export")
    client.patch(f"/api/v1/collections/{best}", {"name": "Best of all"})
    [query] = [one["query"] for one in client.get("/api/v1/collections")["collections"] if one["uuid"] == smart]
    assert query == 'even -collection:"Best of all" (collection:"Best of all" OR sea)'
    undo(client)
    assert client.text("/api/v1/library/export") == before


def test_searches_that_multiply_are_refused(client: Client) -> None:
    collection(client, "c0", query=" OR ".join(f"rating:{n % 5}" for n in range(20)))
    for number in range(1, 4):
        collection(client, f"c{number}", query=" OR ".join([f"in:c{number - 1} seed:{n}" for n in range(10)]))
    with pytest.raises(InvalidInputError, match="more than 500 terms"):
        found(client, "in:c3")


# -- Trash --------------------------------------------------------------------------------------------


def test_what_comes_out_of_the_trash_is_as_it_was(client: Client) -> None:
    uuid = client.post("/api/v1/collections", {"name": "Best"})["uuid"]
    bulk(client, {"collect": uuid}, 4, 0, 2)
    bulk(client, {"tags": {"add": ["fox"], "reject": ["dog"]}}, 0)
    bulk(client, {"rating": 4}, 0)
    bulk(client, {"notes": "keep\nthis"}, 0)
    before = client.text("/api/v1/library/export")
    bulk(client, {"trash": True}, 0)
    assert client.get("/api/v1/status")["total"] == IMAGES - 1
    assert count(client, "fox") == 0
    [item] = client.get("/api/v1/trash")["items"]
    assert (item["uuid"], item["purge_after"] - item["deleted_at"]) == (name_of(0), 30 * 86_400_000)
    client.post("/api/v1/trash:restore", {"uuids": [name_of(0)]})
    assert client.text("/api/v1/library/export") == before
    assert count(client, "fox") == 1


def test_a_shorter_time_in_the_trash_does_not_shorten_what_is_in_it(client: Client) -> None:
    bulk(client, {"trash": True}, 0)
    client.patch("/api/v1/trash/settings", {"days": 1})
    bulk(client, {"trash": True}, 1)
    days = sorted((i["purge_after"] - i["deleted_at"]) // 86_400_000 for i in client.get("/api/v1/trash")["items"])
    assert days == [1, 30]


def test_favourites_can_be_locked_against_the_trash(client: Client) -> None:
    client.patch("/api/v1/trash/settings", {"locked": ["favorites"]})
    bulk(client, {"favorite": True}, 0)
    assert bulk(client, {"trash": True}, 0, 1)["changed"] == 1
    with pytest.raises(ConflictError, match="protect"):
        bulk(client, {"trash": True}, 0)


def test_the_trash_is_a_view_of_its_own_and_what_is_restored_leaves_a_hole(client: Client) -> None:
    client.patch("/api/v1/trash/settings", {"days": 3})
    bulk(client, {"trash": True}, 1, 2)
    client.patch("/api/v1/trash/settings", {"days": 30})
    bulk(client, {"trash": True}, 5)
    view = client.post("/api/v1/trash/snapshots")
    assert (view["total"], [s["count"] for s in view["sections"]]) == (3, [1, 2])
    kept = f"/api/v1/snapshots/{view['snapshot']}"
    assert client.get(f"{kept}/items", start=0, count=3)["uuid"] == [name_of(5), name_of(2), name_of(1)]
    assert client.get(f"{kept}/position", uuid=name_of(2)) == {"index": 1}
    assert client.get(f"{kept}/newer") == {"count": 0}
    done = client.post("/api/v1/trash:restore", {"snapshot": view["snapshot"], "ranges": [[0, 3]], "except": [1]})
    assert done["changed"] == 2
    assert client.get(f"{kept}/items", start=0, count=3)["uuid"] == [None, name_of(2), None]
    assert client.get("/api/v1/trash")["images"] == 1


def test_a_purge_over_a_view_leaves_alone_what_is_not_in_the_trash(client: Client) -> None:
    view = client.post("/api/v1/snapshots", {"q": ""})
    bulk(client, {"trash": True}, 0)
    asked = {"snapshot": view["snapshot"], "ranges": [[0, IMAGES]], "dry_run": True}
    assert client.post("/api/v1/trash:purge", asked)["images"] == 0
    [(path, reason)] = client.post("/api/v1/trash:purge", asked)["kept"]
    assert (path, reason) == ("0.png", "The folder is not available. Its drive may be disconnected.")
    with pytest.raises(InvalidInputError):
        client.post("/api/v1/trash:purge", asked | {"which": "all"})


def test_some_images_of_a_view_are_a_view_of_their_own(client: Client) -> None:
    bulk(client, {"rating": 3}, 2)
    view = client.post("/api/v1/snapshots", {"q": "even"})
    asked = {"ranges": [[1, 6]], "except": [2], "q": "-rating:>=1"}
    found = client.post(f"/api/v1/snapshots/{view['snapshot']}:narrow", asked)
    shown_there = client.get(f"/api/v1/snapshots/{found['snapshot']}/items", start=0, count=10)["uuid"]
    assert shown_there == [name_of(8), name_of(4), name_of(0)]
    assert found["total"] == 3


def test_the_history_shows_images_of_a_deed_and_what_became_of_them(client: Client) -> None:
    bulk(client, {"rating": 3}, *range(IMAGES))
    bulk(client, {"trash": True}, 1)
    trash, rating = client.get("/api/v1/edits", limit=2)["operations"]
    assert [(one["uuid"], one["state"]) for one in trash["images"]] == [(name_of(1), "trashed")]
    assert len(rating["images"]) == 6
    assert rating["images"][0]["thumb"] == "00" * 32
    assert [one["state"] for one in rating["images"][:2]] == ["here", "trashed"]


# -- templates ----------------------------------------------------------------------------------------


def test_a_template_expands_the_same_for_the_same_seed(client: Client) -> None:
    client.put("/api/v1/wildcards", {"name": "colour", "content": "# warm\nred\n{deep|pale} orange\n"})
    text = "a __colour__ {fox|cat}, {subject}"
    uuid = client.post("/api/v1/templates", {"name": "One", "content": text, "params": {"steps": 20}})["uuid"]
    [listed] = client.get("/api/v1/templates")["templates"]
    assert (listed["variables"], listed["wildcards"]) == (["subject"], ["colour"])
    asked = {"seed": 7, "values": {"subject": "snow"}, "form": "prompt", "count": 3}
    first = client.post(f"/api/v1/templates/{uuid}:expand", asked)
    assert client.post(f"/api/v1/templates/{uuid}:expand", asked) == first
    assert all(one.endswith(", snow") and "__" not in one and "{" not in one for one in first["expanded"])
    [with_settings] = client.post(f"/api/v1/templates/{uuid}:expand", {"seed": 7})["expanded"]
    assert "Steps: 20" in with_settings
    assert client.get("/api/v1/templates")["templates"][0]["uses"] == 3
    undo(client)
    assert client.get("/api/v1/templates")["templates"] == []


def test_a_draft_is_tried_out_without_being_kept_or_counted(client: Client) -> None:
    asked = {"content": "a {red|blue} {animal}", "seed": 3, "count": 4, "form": "prompt", "params": {"steps": 9}}
    tried = client.post("/api/v1/templates:try", asked | {"values": {"animal": "fox"}})
    assert (tried["variables"], tried["seed"]) == (["animal"], 3)
    assert set(tried["expanded"]) <= {"a red fox", "a blue fox"}
    assert client.get("/api/v1/templates")["templates"] == []
    with pytest.raises(InvalidInputError, match="cannot set"):
        client.post("/api/v1/templates:try", {"content": "x", "params": {"shoes": 2}})


def test_styles_go_out_as_they_came_in(client: Client) -> None:
    text = 'name,prompt,negative_prompt\r\nFoxes,"a fox, {prompt}",blurry\r\nQuotes,"say ""hi""\ntwice",\r\n'
    client.post("/api/v1/templates/styles", {"text": text})
    assert client.text("/api/v1/templates/styles") == text


def test_an_images_recipe_becomes_a_template_that_says_the_same(client: Client) -> None:
    uuid = client.post("/api/v1/templates", {"name": "Its", "image": name_of(0)})["uuid"]
    [expanded] = client.post(f"/api/v1/templates/{uuid}:expand", {"form": "prompt"})["expanded"]
    assert expanded == "an even fox"
    assert client.get("/api/v1/templates")["templates"][0]["preview"] == name_of(0)


def test_a1111s_styles_come_in_as_one_deed(client: Client) -> None:
    styles = '\ufeffname,prompt,negative_prompt\r\n"--- lines ---",,\r\nInk,"ink drawing of {prompt}, ""fine"" lines",'
    styles += '"photo, 3d"\r\nFilm,film still,\r\n'
    done = client.post("/api/v1/templates/styles", {"text": styles})
    assert done["changed"] == 2
    ink = next(one for one in client.get("/api/v1/templates")["templates"] if one["name"] == "Ink")
    assert (ink["content"], ink["negative"]) == ('ink drawing of {prompt}, "fine" lines', "photo, 3d")
    assert ink["variables"] == ["prompt"]
    undo(client)
    assert client.get("/api/v1/templates")["templates"] == []


# -- the command line ---------------------------------------------------------------------------------


def run(library: Path, *words: str) -> tuple[int, str]:
    asked = subprocess.run(
        [sys.executable, "-m", "mysticanvas.app.cli", *words, "--library", str(library)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return asked.returncode, asked.stdout + asked.stderr


def test_the_command_line_tags_undoes_and_exports(tmp_path: Path) -> None:
    library = tmp_path / "library"
    with Database.open(library) as database:
        add_images(database, 4, prompt=lambda _: "a fox")
    code, before = run(library, "library", "export", "--jsonl")
    assert code == 0
    assert run(library, "image", "tag", "fox, snow", "fox")[0] == 0
    assert run(library, "tag", "imply", "fox", "animal")[0] == 0
    code, text = run(library, "tag", "imply", "animal", "fox")
    assert (code, "cycle" in text) == (1, True)
    assert run(library, "image", "trash", "fox")[0] == 0
    code, text = run(library, "history", "list", "--json")
    assert [one["kind"] for one in json.loads(text)["operations"]] == ["trash", "tag.imply", "tag"]
    for _ in range(3):
        assert run(library, "undo")[0] == 0
    assert run(library, "library", "export", "--jsonl")[1] == before
    assert run(library, "undo")[0] == 3


def test_a_request_without_sense_is_refused_in_words(client: Client) -> None:
    for path, body in (
        ("/api/v1/edits", {"uuids": [], "set": {}}),
        ("/api/v1/edits", {"set": {"rating": 3}}),
        ("/api/v1/edits", {"uuids": [], "set": {"rating": 3, "favorite": True}}),
        ("/api/v1/tags:alias", {"tag": "x"}),
        ("/api/v1/tags:create", {"name": "rating: 5"}),
        ("/api/v1/tags:create", {"name": "a\u202eb"}),
        ("/api/v1/tags:bulk-edit", {"text": ""}),
        ("/api/v1/templates", {"name": "x"}),
        ("/api/v1/templates", {"name": "x", "content": "{" * 100}),
        ("/api/v1/templates/styles", {"text": "a,b\n1,2"}),
        ("/api/v1/trash:restore", {}),
    ):
        with pytest.raises(InvalidInputError) as refused:
            client.post(path, body)
        assert str(refused.value).strip(), path
    with pytest.raises(InvalidInputError, match="wildcard"):
        client.put("/api/v1/wildcards", {"name": "../x", "content": "y"})


def test_null_is_refused_where_a_collection_or_template_needs_text(client: Client) -> None:
    uuid = client.post("/api/v1/collections", {"name": "Even", "query": "even"})["uuid"]
    template = client.post("/api/v1/templates", {"name": "Fox", "content": "a fox"})["uuid"]
    before = client.text("/api/v1/library/export")
    for field in ("name", "query"):
        with pytest.raises(InvalidInputError, match="valid"):
            client.patch(f"/api/v1/collections/{uuid}", {field: None})
    for field in ("name", "content", "params"):
        with pytest.raises(InvalidInputError, match="valid"):
            client.patch(f"/api/v1/templates/{template}", {field: None})
    assert client.text("/api/v1/library/export") == before
    client.patch(f"/api/v1/collections/{uuid}", {"notes": None, "parent": None, "cover": None})
    client.patch(f"/api/v1/templates/{template}", {"negative": None, "category": None, "preview": None})
