"""Tags images with the name of the folder that they are in: python tag_by_folder.py [SEARCH]"""

import sys

from mysticanvas import Library

with Library.open() as library:
    found = library.search(" ".join(sys.argv[1:]))
    folders = {image.path.parent for image in found if image.path is not None}
    for folder in sorted(folders):
        quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
        edit = library.tags.add(folder.name, f'path:"{quoted}"')
        print(f"{folder.name}: {edit.changed} images")
