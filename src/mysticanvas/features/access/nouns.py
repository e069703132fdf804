"""Nouns and shortcuts of the command line."""

NOUNS = {
    "access": "Set the password for other machines, and create sign-in links.",
    "token": "Show or replace the token that scripts use to sign in.",
}
SHORTCUTS = {"open": "Open the running gallery in your browser."}
