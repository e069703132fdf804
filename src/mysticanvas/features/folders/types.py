"""A scan of one folder as a job."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RescanRoot:
    """Look through a whole root for what is new, moved or missing. Done by the Orchestrator itself, which
    asks workers for each file."""

    root_id: int


@dataclass(frozen=True, slots=True)
class RootRescanned:
    """`message` is what the person should know, "" when all went well."""

    message: str
