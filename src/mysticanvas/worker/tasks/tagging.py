"""`AskForTags`."""

from mysticanvas.domain.task import AskForTags, TagsSuggested
from mysticanvas.endpoints import tagging

# Less than the pool's limit for a task, so that a slow server is an error and no crash.
LIMIT_S = 25.0


def run(task: AskForTags) -> TagsSuggested:
    tags = tagging.suggest(
        task.endpoint,
        prompt=task.prompt,
        picture=task.picture,
        vocabulary=task.vocabulary,
        key=task.key,
        limit_s=LIMIT_S,
    )
    return TagsSuggested(tags)
