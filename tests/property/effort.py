"""How hard the parsers are tried: 10,000 examples each with --long, else a tenth that is always the same."""

import sys

from hypothesis import HealthCheck, settings

LONG = "--long" in sys.argv
parsers = settings(
    max_examples=10_000 if LONG else 1_000,
    derandomize=not LONG,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# For what is tried once for each of many formats.
each_parser = settings(parsers, max_examples=10_000 if LONG else 60)
# For what follows from these.
of_each_parser = settings(parsers, max_examples=1_000 if LONG else 30)
