"""Connects to the running gallery. Needs httpx: pip install httpx"""

import json
import subprocess

import httpx


def connect() -> httpx.Client:
    """The address and the token come from the command, which checks that the gallery is the one of your library."""
    shown = subprocess.run(["mysticanvas", "token", "show", "--json"], check=True, capture_output=True)
    gallery = json.loads(shown.stdout)
    if gallery["url"] is None:
        raise SystemExit("MystiCanvas is not running. Start it with mysticanvas serve.")
    return httpx.Client(
        base_url=f"{gallery['url']}/api/v1",
        headers={"Authorization": f"Bearer {gallery['token']}"},
        event_hooks={"response": [httpx.Response.raise_for_status]},
        timeout=600,
        trust_env=False,  # A proxy must not see the token.
    )
