"""What a person can do, one function a deed. Knows no HTTP and no processes."""
