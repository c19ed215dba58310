"""The web floor: pages that read, command and render. It knows no SQL; the engine decides what may be seen and done."""
