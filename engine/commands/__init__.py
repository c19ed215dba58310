"""The commands of `sharing-bpm`, one module for each noun; each has `add(commands)` and imports what it needs when it runs."""
