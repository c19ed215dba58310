"""草稿: the modeler, with its saves, checks and exports."""

from __future__ import annotations

from flask import Blueprint

page = Blueprint("drafts", __name__)
