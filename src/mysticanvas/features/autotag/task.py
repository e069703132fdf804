"""Task `AskForTags`: requests tags from a language model."""

from collections.abc import Sequence

import numpy as np

from mysticanvas.features.autotag import prompting
from mysticanvas.features.autotag.types import AskForTags, TagsSuggested
from mysticanvas.ml.static_embeddings import StaticModel


def run(task: AskForTags) -> TagsSuggested:
    tags = prompting.suggest_tags(
        task.endpoint,
        prompt=task.prompt,
        picture=task.picture,
        vocabulary=find_nearest_names(task.prompt, task.vocabulary),
        key=task.key,
        limit_s=task.limit_s,
    )
    return TagsSuggested(tags)


def find_nearest_names(prompt: str | None, names: Sequence[str]) -> list[str]:
    """At most `MAX_VOCABULARY` names: the most similar to the prompt, or the first ones without a prompt."""
    if prompt is None or len(names) <= prompting.MAX_VOCABULARY:
        return list(names[: prompting.MAX_VOCABULARY])
    vectors = StaticModel.load().encode([prompt, *names])
    order = np.argsort(-(vectors[1:] @ vectors[0]), kind="stable")[: prompting.MAX_VOCABULARY]
    return [names[place] for place in order.tolist()]


RUN = {AskForTags: run}
