"""Language model servers: address policy and client."""
