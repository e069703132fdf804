"""Downloads all images made with a LoRA: python copy_lora.py LORA FOLDER"""

import sys
from pathlib import Path
from typing import Any

from gallery import connect

lora, target = sys.argv[1], Path(sys.argv[2])
target.mkdir(parents=True, exist_ok=True)
with connect() as http:
    params: dict[str, Any] = {"q": f'lora:"{lora}"', "limit": 1000}
    while True:
        page = http.get("/images/details", params=params).json()
        for image in page["items"]:
            if image["path"] is None or image["missing"]:
                continue
            path = Path(image["path"])
            copy = target / path.name
            if copy.exists():  # Another folder has a file of the same name.
                copy = target / f"{path.stem} {image['uuid']}{path.suffix}"
            copy.write_bytes(http.get(f"/images/{image['uuid']}/file").content)
        if page["next"] is None:
            break
        params["after"] = page["next"]
