"""Midjourney: the description in downloaded images, with prompt, flags and job id.

Source: images downloaded from its site.
"""

import re
from datetime import UTC, datetime
from typing import Any

from mysticanvas.domain.generation import InputImage, InputRole, Recipe
from mysticanvas.formats.json_text import FieldReader

_JOB = re.compile(r"Job ID: ([0-9a-f]{8}-[0-9a-f-]{27})")
_FLAGS = re.compile(r"(?:^|\s)--(?=[A-Za-z])")
_URL = re.compile(r"https?://\S{1,500}")


def parse(texts: dict[str, str]) -> Recipe | None:
    description = texts.get("Description") or texts.get("dc:description") or texts.get("ImageDescription") or ""
    job = _JOB.search(description)
    if job is None:
        return None
    text = description[: job.start()] + " " + description[job.end() :]
    prompt, *flags = _FLAGS.split(text.strip())
    given: dict[str, Any] = {}
    for flag in flags:
        name, _, value = flag.strip().partition(" ")
        given.setdefault(name, value.strip())
    version = given.get("v") or given.get("version")
    if version is None and "niji" in given:
        version = f"niji {given['niji']}".strip()
    fields = FieldReader(given)
    negative, seed = fields.text("no"), fields.integer("seed")
    fields.take("v", "version")
    links = _URL.findall(prompt)
    return Recipe(
        tool="Midjourney",
        tool_version=version,
        prompt=prompt.strip(),
        negative_prompt=negative,
        seed=seed,
        inputs=tuple(InputImage(InputRole.REFERENCE, link) for link in links[:10]),
        created_ms=_parse_mail_date_ms(texts.get("Creation Time")),
        params=fields.rest
        | {"job_id": job[1], "raw_prompt": text.strip()}
        | ({"author": texts["Author"]} if texts.get("Author") else {}),
    )


_MAIL_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC|[+-]0000)"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _parse_mail_date_ms(text: str | None) -> int | None:
    """Unix milliseconds of a date such as "Thu, 06 Mar 2025 08:49:39 GMT"; None for anything else."""
    match = _MAIL_DATE.fullmatch((text or "").strip())
    if match is None or match[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[group]) for group in (1, 3, 4, 5, 6))
    try:
        moment = datetime(year, _MONTHS.index(match[2]) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return round(moment.timestamp() * 1000)
