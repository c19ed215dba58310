"""The engine: everything that happens to a case, without a browser."""
