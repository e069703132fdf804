"""The password that lets other machines open the gallery."""
