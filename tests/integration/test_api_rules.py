"""What holds for the whole API: errors, pages of lists, changes by two tabs, and the reference of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.serving import Served
from tests.pictures import write_pictures

from mysticanvas.http.gate import HEADERS
from mysticanvas.http.problems import KINDS

IMAGES = 7


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("rules")
    (home / "library").mkdir()
    write_pictures(home / "pictures", IMAGES)
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def image(served: Served) -> str:
    uuid: str = served.get("/api/v1/images")["items"][0]["uuid"]
    return uuid


# -- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/v1/snapshots", b"{", 400),
        ("POST", "/api/v1/snapshots", b'{"q":"modle:x"}', 400),
        ("POST", "/api/v1/snapshots", b'{"q":5}', 422),
        ("GET", "/api/v1/images?limit=many", b"", 422),
        ("POST", "/api/v1/edits", b'{"uuids":[],"set":{}}', 422),
        ("GET", "/api/v1/images/no-such-image", b"", 404),
        ("GET", "/api/v1/no-such-route", b"", 404),
        ("POST", "/api/v1/stats", b"{}", 405),
        ("GET", "/api/v1/snapshots/no-such-snapshot/items?start=0&count=1", b"", 410),
        ("POST", "/api/v1/tags:bulk-edit", b'{"text":"imply x -> y\\nimply y -> x"}', 409),
    ],
)
def test_an_error_is_a_problem_with_a_page_that_explains_it(
    served: Served, method: str, path: str, body: bytes, status: int
) -> None:
    reply = served.http.request(method, path, content=body, headers={"content-type": "application/json"})
    problem = reply.json()
    assert (reply.status_code, problem["status"]) == (status, status)
    assert reply.headers["content-type"] == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "position", "suggestion"}
    page, _, anchor = problem["type"].partition("#")
    assert f'id="{anchor}"' in served.http.get(page).text
    assert problem["detail"].strip().endswith((".", "?"))


def test_who_is_not_signed_in_gets_a_problem_too(served: Served) -> None:
    reply = served.http.get("/api/v1/status", headers={"Authorization": ""})
    assert (reply.status_code, reply.json()["type"]) == (401, "/docs/errors#not-signed-in")


def test_a_wrong_search_says_where_and_what_was_meant(served: Served) -> None:
    problem = served.http.post("/api/v1/snapshots", json={"q": "fox modle:x"}).json()
    assert (problem["position"], problem["suggestion"]) == (4, "model:x")


def test_who_guesses_is_told_when_to_come_again(served: Served) -> None:
    # Without the token, as somebody does who does not have it.
    page = {"Authorization": "", "Origin": str(served.http.base_url).rstrip("/")}
    for _ in range(40):
        reply = served.http.post("/api/v1/session", json={"code": "x" * 32}, headers=page)
        if reply.status_code == 429:
            break
    assert reply.status_code == 429
    assert 1 <= int(reply.headers["retry-after"]) <= 60


# -- pages of lists ---------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, IMAGES, IMAGES + 1])
@pytest.mark.parametrize("path", ["/api/v1/images", "/api/v1/images/details"])
def test_the_links_of_a_list_lead_to_each_image_once(served: Served, path: str, limit: int) -> None:
    address, found, pages = f"{path}?q=sort:oldest&limit={limit}", [], 0
    while address:
        reply = served.http.get(address).raise_for_status()
        page = reply.json()
        found += [item["uuid"] for item in page["items"]]
        address = reply.links.get("next", {}).get("url", "")
        assert bool(address) == (page["next"] is not None)
        pages += 1
    assert pages == -(-IMAGES // limit)
    assert len(found) == len(set(found)) == page["total"] == IMAGES


@pytest.mark.parametrize(
    ("path", "items"), [("/api/v1/edits", "operations"), ("/api/v1/tags", "tags"), ("/api/v1/jobs", "jobs")]
)
def test_other_lists_have_links_too(served: Served, image: str, path: str, items: str) -> None:
    for number in range(3):
        served.patch(f"/api/v1/images/{image}", {"tags": {"add": [f"page {number}"]}})
    first = served.http.get(path, params={"limit": 2})
    second = served.http.get(first.links["next"]["url"]).json()
    assert len(first.json()[items]) == 2
    assert second[items]
    assert not [one for one in second[items] if one in first.json()[items]]


def test_the_details_of_a_list_are_those_of_the_image(served: Served) -> None:
    for record in served.get("/api/v1/images/details", q="")["items"]:
        assert served.get(f"/api/v1/images/{record['uuid']}") == record | {
            "parameters_text": served.get(f"/api/v1/images/{record['uuid']}")["parameters_text"]
        }


# -- changes ----------------------------------------------------------------------------------------


def test_an_image_is_changed_by_one_edit(served: Served, image: str) -> None:
    change = {"rating": 2, "favorite": True, "notes": "first light", "tags": {"add": ["dawn"]}}
    before = served.get(f"/api/v1/images/{image}")
    done = served.patch(f"/api/v1/images/{image}", change)
    after = served.get(f"/api/v1/images/{image}")
    assert [after[name] for name in ("rating", "is_favorite", "notes")] == [2, True, "first light"]
    assert "dawn" in after["tags"]
    assert (done["changed"], done["total"]) == (1, 1)
    served.post("/api/v1/edits:undo", {})
    assert served.get(f"/api/v1/images/{image}") == before
    served.post("/api/v1/edits:redo", {})
    assert served.get(f"/api/v1/images/{image}") == after
    served.patch(f"/api/v1/images/{image}", {"notes": None})
    assert served.get(f"/api/v1/images/{image}")["notes"] is None


def test_an_image_goes_to_the_trash_by_its_uuid(served: Served, image: str) -> None:
    served.delete(f"/api/v1/images/{image}")
    assert served.get(f"/api/v1/images/{image}")["deleted"]
    served.post("/api/v1/edits:undo", {})
    assert not served.get(f"/api/v1/images/{image}")["deleted"]


def _new_image(served: Served) -> tuple[str, dict[str, Any], dict[str, Any]]:
    return f"/api/v1/images/{served.get('/api/v1/images')['items'][1]['uuid']}", {"rating": 5}, {"rating": 1}


def _new_collection(served: Served) -> tuple[str, dict[str, Any], dict[str, Any]]:
    made = served.http.post("/api/v1/collections", json={"name": "Best"})
    assert made.status_code == 201
    return made.headers["location"], {"notes": "For the wall"}, {"name": "Good"}


def _new_template(served: Served) -> tuple[str, dict[str, Any], dict[str, Any]]:
    made = served.http.post("/api/v1/templates", json={"name": "Foxes", "content": "a fox"})
    assert made.status_code == 201
    return made.headers["location"], {"content": "a red fox"}, {"name": "Vixens"}


@pytest.mark.parametrize("make", [_new_image, _new_collection, _new_template])
def test_a_tab_does_not_undo_what_another_has_changed(served: Served, make: Any) -> None:
    path, mine, other = make(served)
    seen = {"If-Match": served.http.get(path).headers["etag"]}
    assert served.http.get(path).headers["etag"] == seen["If-Match"]
    served.http.patch(path, json=other).raise_for_status()
    late = served.http.patch(path, json=mine, headers=seen)
    assert (late.status_code, late.json()["type"]) == (412, "/docs/errors#changed")
    assert served.http.delete(path, headers=seen).status_code == 412
    seen = {"If-Match": served.http.get(path).headers["etag"]}
    served.http.patch(path, json=mine, headers=seen).raise_for_status()
    assert served.http.patch(path, json=other, headers=seen).status_code == 412
    served.http.patch(path, json=other, headers={"If-Match": "*"}).raise_for_status()


def test_an_image_is_put_into_a_collection_and_taken_out(served: Served, image: str) -> None:
    path = served.http.post("/api/v1/collections", json={"name": "One"}).headers["location"]
    for _ in range(2):
        served.put(f"{path}/items/{image}", None)
        assert served.get(f"{path}/items")["uuids"] == [image]
    assert served.get(path)["images"] == 1
    served.delete(f"{path}/items/{image}")
    assert served.get(f"{path}/items")["uuids"] == []
    assert served.http.put(f"{path}/items/no-such-image").status_code == 404


# -- the reference ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/docs", "/docs/errors"])
def test_the_reference_is_a_page_without_scripts_whose_links_lead_somewhere(served: Served, path: str) -> None:
    reply = served.http.get(path, headers={"Authorization": ""})
    assert (reply.status_code, reply.headers["content-security-policy"]) == (200, HEADERS["content-security-policy"])
    text = reply.text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|(href|src)=\W?https?://", text)
    anchors = re.findall(r' id="([^"]+)"', text)
    assert len(anchors) == len(set(anchors))
    for link in re.findall(r'href="([^"]+)"', text):
        page, _, anchor = link.partition("#")
        assert not page or served.http.get(page).status_code == 200, link
        assert not anchor or anchor in anchors, link


def test_the_reference_has_every_operation_and_every_kind_of_error(served: Served) -> None:
    page = served.http.get("/docs").text
    for methods in served.get("/api/v1/openapi.json")["paths"].values():
        for operation in methods.values():
            assert f'<article id="{operation["operationId"]}">' in page
    errors = served.http.get("/docs/errors").text
    assert all(f'id="{kind.name}"' in errors for kind in KINDS.values())


def test_the_reference_says_nothing_about_the_library(served: Served, tmp_path: Path) -> None:
    text = served.http.get("/docs", headers={"Authorization": ""}).text
    assert str(served.library) not in text
    assert served.http.headers["Authorization"].rpartition(" ")[2] not in text
