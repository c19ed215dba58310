"""The application factory: what hangs together in the web, in one place.

`create_app` makes no database and starts no worker: it is given a store, so that tests, the command line and benchmarks
serve the very same application.
"""

from __future__ import annotations

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from engine.sharing import registry
from engine.store.settings import Settings
from engine.store.store import Store
from web import assets, errors, lists, measuring, navigation, screen, security, signed_in
from web.api import blueprint
from web.pages import (
    absences,
    attachments,
    back_tests,
    board,
    bulk,
    calendar_notices,
    calendars,
    case_verbs,
    cases,
    catalogue,
    comparisons,
    corrections,
    deadlines,
    diagrams,
    documents,
    draft_forms,
    drafts,
    dry_runs,
    evaluations,
    health,
    imports,
    inbox,
    interfaces,
    letters,
    live,
    metrics,
    migrations,
    negative_list,
    notices,
    operations,
    own_catalogue,
    phrases,
    projects,
    proposals,
    rectification,
    removals,
    reports,
    robots,
    rule_documents,
    sign_in,
    signature,
    starting,
    supervision,
    task_drafts,
    task_verbs,
    tasks,
    tokens,
    webhooks,
)

#: Diagrams call operations by name: whoever moves a case must have imported what it may call.
REGISTERS = registry.__all__

PAGES = (
    absences,
    attachments,
    back_tests,
    board,
    bulk,
    calendar_notices,
    calendars,
    case_verbs,
    cases,
    catalogue,
    comparisons,
    corrections,
    deadlines,
    diagrams,
    documents,
    draft_forms,
    drafts,
    dry_runs,
    evaluations,
    health,
    imports,
    inbox,
    interfaces,
    letters,
    live,
    metrics,
    migrations,
    negative_list,
    notices,
    operations,
    own_catalogue,
    phrases,
    projects,
    proposals,
    rectification,
    removals,
    reports,
    robots,
    rule_documents,
    sign_in,
    signature,
    starting,
    supervision,
    task_drafts,
    task_verbs,
    tasks,
    tokens,
    webhooks,
)


def create_app(store: Store, settings: Settings) -> Flask:
    """The web application on `store`. Safe to serve from many threads; each process makes its own store."""
    app = Flask("web", static_folder="static", template_folder="templates")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        # Flask's own cookie carries the CSRF token only; who is signed in stands in our table (signed_in.py).
        SESSION_COOKIE_NAME="sharing_bpm_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        # A form lives as long as its session: officials leave one open over lunch and must lose nothing.
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=settings.upload_bytes * 5 + 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        MAX_FORM_PARTS=500,
    )
    app.extensions["sharing_store"] = store
    app.extensions["sharing_settings"] = settings
    measuring.install(app, settings.home / "metrics")
    security.protect(app, https=settings.secure_cookies)
    signed_in.install(app)
    csrf = CSRFProtect(app)
    errors.install(app)
    screen.install(app)
    assets.install(app)
    navigation.install(app)
    lists.install(app)
    app.jinja_env.globals["upload_megabytes"] = settings.upload_bytes // (1024 * 1024)
    for module in PAGES:
        app.register_blueprint(module.page)
    blueprint.install(app, csrf)
    return app
