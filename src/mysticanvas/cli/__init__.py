"""The command line: the client, shared options and output. `app/cli.py` lists the commands."""
