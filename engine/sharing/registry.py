"""Importing this makes every register known: its tables to the database, its operations, words and subjects to diagrams."""

from __future__ import annotations

from engine.process import calendar_tables, case_operations, notices
from engine.process.removing import tables as removing
from engine.process.workshop import tables as workshop
from engine.sharing import (
    catalogue,
    cataloguing,
    consumers,
    corrections,
    documents,
    duties,
    evaluation,
    grants,
    inconsistencies,
    listing,
    maintenance,
    misuse,
    negative_list,
    objections,
    operation_texts,
    projects,
    rectification,
    rehearsing,
    reports,
    rule_documents,
    subjects,
    supervision,
    words,
)

__all__ = [
    "calendar_tables", "case_operations", "catalogue", "cataloguing", "consumers", "corrections", "documents", "duties", "evaluation", "grants",
    "inconsistencies", "listing", "maintenance", "misuse", "negative_list", "notices", "objections", "operation_texts",
    "projects", "rectification", "rehearsing", "removing", "reports", "rule_documents",
    "subjects", "supervision", "words", "workshop",
]  # fmt: skip
