"""The application as a WSGI server wants it: `web.wsgi:application`, made from the settings of this process.

Not for tests, which give `create_app` a store of their own.
"""

from __future__ import annotations

from engine.sharing import registry  # noqa: F401 - what diagrams call must be known before one is read
from engine.store.settings import read_settings
from engine.store.store import Store
from web.app import create_app

_settings = read_settings()

application = create_app(Store(_settings.database_url), _settings)
