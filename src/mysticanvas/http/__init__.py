"""HTTP: the access checks before every route, sessions, schemas and the server socket."""
