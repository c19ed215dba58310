"""One module for each noun: its routes. A view reads the request, calls the engine once and renders."""
