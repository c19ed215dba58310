"""Importing this makes every register known: its tables to the database, its operations, words and subjects to diagrams."""

from __future__ import annotations

from engine.sharing import catalogue, documents, grants, negative_list, subjects, supervision, words

__all__ = ["catalogue", "documents", "grants", "negative_list", "subjects", "supervision", "words"]
