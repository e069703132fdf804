"""Tags images with the name of the folder that they are in: python tag_by_folder.py [SEARCH]"""

import sys
from pathlib import Path
from typing import Any

from gallery import connect

with connect() as http:
    folders: set[Path] = set()
    params: dict[str, Any] = {"q": " ".join(sys.argv[1:]), "limit": 1000}
    while True:
        page = http.get("/images/details", params=params).json()
        folders |= {Path(image["path"]).parent for image in page["items"] if image["path"] is not None}
        if page["next"] is None:
            break
        params["after"] = page["next"]
    for folder in sorted(folders):
        quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
        body = {"query": f'path:"{quoted}"', "set": {"tags": {"add": [folder.name]}}}
        edit = http.post("/edits", json=body).json()
        while edit["state"] == "applying":  # More than a thousand images: wait for the rest.
            edit = http.get(f"/edits/{edit['operation']}", params={"wait": 20}).json()
        print(f"{folder.name}: {edit['changed']} images")
