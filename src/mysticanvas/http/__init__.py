"""HTTP: the gate before every route, sessions, schemas and the server socket."""
