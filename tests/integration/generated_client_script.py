"""A script of twenty lines with a client that openapi-python-client generated. Arguments: the URL and the token."""

import sys

from gallery_client.api.edits import edits_create, edits_undo
from gallery_client.api.search import images_list
from gallery_client.client import AuthenticatedClient
from gallery_client.models import EditRequest, EditResult, ImagePage, ImagesChangeRequest, ImageTagsRequest


def main(url: str, token: str) -> None:
    client = AuthenticatedClient(base_url=url, token=token)
    page = images_list.sync(client=client, q="", limit=3)
    assert isinstance(page, ImagePage)
    change = ImagesChangeRequest(tags=ImageTagsRequest(add=["generated"]))
    done = edits_create.sync(client=client, body=EditRequest(uuids=[one.uuid for one in page.items], set_=change))
    assert isinstance(done, EditResult)
    print(page.total, done.changed, done.state)
    undone = edits_undo.sync(done.operation, client=client)
    assert isinstance(undone, EditResult)
    print(undone.state)


main(*sys.argv[1:])
