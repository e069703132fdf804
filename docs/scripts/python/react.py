"""Copies each new image to a folder, until you press Ctrl+C. Needs a running gallery: python react.py FOLDER"""

import shutil
import sys
from pathlib import Path

from mysticanvas import Library

target = Path(sys.argv[1])
target.mkdir(parents=True, exist_ok=True)
with Library.open() as library:
    for event in library.events("image.added"):
        for uuid in event.uuids:
            image = library.get(uuid)
            if image.path is not None:
                shutil.copy2(image.path, target / image.path.name)
