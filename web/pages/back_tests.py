"""回测: what a draft would have made of past cases."""

from __future__ import annotations

from flask import Blueprint

page = Blueprint("back_tests", __name__)
