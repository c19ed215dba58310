"""表单: the form editor of a draft, with its preview and test entry."""

from __future__ import annotations

from flask import Blueprint

page = Blueprint("draft_forms", __name__)
