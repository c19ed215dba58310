"""流程定义: the processes, their versions, drafts and proposals; the XML of a version."""

from __future__ import annotations

from flask import Blueprint

page = Blueprint("diagrams", __name__)
