"""Registers what the registers' operations, subjects and words are called for the people who draw diagrams."""

from __future__ import annotations

from pathlib import Path

from engine.people.posts import BODIES
from engine.process.workshop.texts import TEXTS, describe

describe(Path(__file__).with_suffix(".json"))
# A unit is never named in a diagram, only the body that it carries.
TEXTS.units.update({f'body("{key}")': label for key, label in BODIES.items()})
