"""The words MystiCanvas uses. Imports nothing but the standard library."""
