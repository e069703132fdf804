"""Sign-in links: printed, opened in the browser, and drawn as a QR code for a phone."""

import webbrowser
from dataclasses import dataclass
from itertools import zip_longest

from rich.markup import escape
from rich.text import Text

from mysticanvas.cli.client import Client
from mysticanvas.cli.output import out

# A browser gets its link as an argument, which other accounts of this machine can see: it is valid only for a moment.
BROWSER_LIMIT_S = 60
# Around the code, in modules: scanners need a light margin.
_MARGIN = 2
_BLOCKS = {(True, True): " ", (False, True): "▀", (True, False): "▄", (False, False): "█"}


@dataclass(frozen=True, slots=True)
class Links:
    """Sign-in links, each of which works once. `url` is for this machine and `external_url` for other machines.
    `external_url` is None if only this machine can connect."""

    url: str
    external_url: str | None


def fetch_links(client: Client, valid_s: int | None = None) -> Links:
    """Creates sign-in links in the running gallery and returns them."""
    found = client.post("/api/v1/session/links", {} if valid_s is None else {"valid_s": valid_s})
    return Links(found["url"], found["external_url"])


def print_links(links: Links) -> None:
    _print_link("Your gallery", links.url)
    if links.external_url is not None:
        print_for_phones(links.external_url)
    out.print("A link expires after one use or one hour. For a new link, run: mysticanvas open", highlight=False)


def print_for_phones(url: str) -> None:
    """Prints the link, and its QR code if the output is a terminal that supports it."""
    _print_link("On your phone", url)
    if not out.is_terminal:
        return
    code = draw_qr(url)
    try:
        code.encode(out.encoding)
    except (UnicodeEncodeError, LookupError):
        # The link above says the same.
        return
    drawn = Text(code, style="bright_white on black", no_wrap=True, overflow="ignore")
    out.print(drawn, crop=False)


def _print_link(label: str, url: str) -> None:
    # The brackets of an IPv6 address are no markup.
    out.print(f"{label}: [bold]{escape(url)}[/]", soft_wrap=True, highlight=False)


def draw_qr(text: str) -> str:
    """A QR code of half-block characters, for light text on a dark background."""
    # Most commands need no QR code.
    import segno

    made = segno.make(text, micro=False, error="m")
    rows = [[bool(module) for module in row] for row in made.matrix_iter(border=_MARGIN)]
    pairs = zip_longest(rows[::2], rows[1::2], fillvalue=[True] * len(rows[0]))
    return "\n".join("".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True)) for upper, lower in pairs)


def open_browser_at(url: str) -> None:
    webbrowser.open(url)
