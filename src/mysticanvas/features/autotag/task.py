"""`AskForTags`."""

from collections.abc import Sequence

import numpy as np

from mysticanvas.features.autotag import prompting
from mysticanvas.features.autotag.types import AskForTags, TagsSuggested
from mysticanvas.ml.static_embeddings import StaticModel


def run(task: AskForTags) -> TagsSuggested:
    tags = prompting.suggest(
        task.endpoint,
        prompt=task.prompt,
        picture=task.picture,
        vocabulary=nearest(task.prompt, task.vocabulary),
        key=task.key,
        limit_s=task.limit_s,
    )
    return TagsSuggested(tags)


def nearest(prompt: str | None, names: Sequence[str]) -> list[str]:
    """As many of the names as are offered: those that mean something near to the prompt; the first ones
    where there is none."""
    if prompt is None or len(names) <= prompting.MAX_VOCABULARY:
        return list(names[: prompting.MAX_VOCABULARY])
    vectors = StaticModel.load().encode([prompt, *names])
    order = np.argsort(-(vectors[1:] @ vectors[0]), kind="stable")[: prompting.MAX_VOCABULARY]
    return [names[place] for place in order.tolist()]


RUN = {AskForTags: run}
