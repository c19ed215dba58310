"""What a WSGI server serves: `web.wsgi:application`, made from the environment's settings.

Each server process imports this and so has its own store. Tests and benchmarks use `create_app` instead.
"""

from __future__ import annotations

from engine.store.settings import read_settings
from engine.store.store import store_of
from web.app import create_app

_settings = read_settings()
application = create_app(store_of(_settings), _settings)
