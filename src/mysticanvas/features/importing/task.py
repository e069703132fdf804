"""The tasks of an import: list folders, read images, parse stored texts again."""

from mysticanvas.features.importing import list_task, read_task, reparse_task
from mysticanvas.features.importing.messages import ListFolder, ReadImages, ReparseTexts

RUN = {ListFolder: list_task.run, ReadImages: read_task.run, ReparseTexts: reparse_task.run}
