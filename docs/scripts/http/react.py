"""Downloads each new image to a folder, until you press Ctrl+C: python react.py FOLDER"""

import json
import sys
import time
from pathlib import Path

import httpx
from gallery import connect

target = Path(sys.argv[1])
target.mkdir(parents=True, exist_ok=True)
last = ""
while True:
    try:
        with (
            connect() as http,
            http.stream("GET", "/events/stream", params={"types": "image.added", "since": last}) as stream,
        ):
            for line in stream.iter_lines():
                field, _, value = line.partition(": ")
                if field == "id":
                    last = value
                elif field == "data" and isinstance(data := json.loads(value), dict):
                    for uuid in data.get("uuids") or ():
                        name = Path(http.get(f"/images/{uuid}").json()["path"]).name
                        (target / name).write_bytes(http.get(f"/images/{uuid}/file").content)
    except httpx.TransportError:
        time.sleep(1)  # The gallery is restarting. The next connection continues after the last event.
