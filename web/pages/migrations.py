"""迁移: running cases moved to another version. One person plans and sees each case beforehand, a second one starts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people.permissions import may, require
from engine.process.workshop.migrating import commands as migration
from engine.process.workshop.migrating import plan as migration_plan
from engine.process.workshop.migrating import preview as migration_preview
from engine.process.workshop.migrating import sheets as migration_sheets
from engine.store.errors import Invalid, NotFound
from web.context import is_swap, me, origin, store
from web.downloads import spreadsheet

page = Blueprint("migrations", __name__)

#: Before the name of the old step, in the names of the plan's fields.
FIELD = "step."
#: Cases read at once for the file.
EXPORT_PAGE = 1000
ID_MAX = 2**62


@page.get("/migrations")
def search() -> str:
    """All migrations, newest first; only the next lines where htmx asks for them."""
    with store().read() as session:
        found = migration_sheets.migrations(session, me(), after=request.args.get("after"))
    template = "migrations/_rows.html" if is_swap() else "migrations/list.html"
    return render_template(template, found=found, may_plan=may(me(), "edit_diagrams"))


@page.get("/migrations/new")
def new() -> str:
    """Which version's cases are to move, and to which; then the plan as it is proposed."""
    require(me(), "edit_diagrams")
    if "from" not in request.args:
        with store().read() as session:
            return render_template("migrations/choose.html", processes=migration_sheets.processes(session, me()))
    return _plan_page(request.args, None)


@page.post("/migrations/new/preview")
def check() -> ResponseReturnValue:
    """What the chosen plan would do, case by case; the whole page where there are no scripts. Writes nothing."""
    require(me(), "edit_diagrams")
    before, after, chosen = _asked(request.form)
    if not is_swap():
        return _plan_page(request.form, chosen, tried=True)
    with store().read() as session:
        plan = migration_plan.plan_of(session, me(), before, after, chosen)
    if plan.errors:
        return render_template("migrations/_checked.html", plan=plan, found=None)
    following = request.args.get("after")
    found = migration_preview.preview(store(), actor=me(), from_id=before, to_id=after, chosen=chosen, after=following)
    template = "migrations/_case_rows.html" if following else "migrations/_checked.html"
    return render_template(template, plan=plan, found=found)


@page.post("/migrations")
def plan() -> ResponseReturnValue:
    """Stores the plan for a second person; with what is wrong the page comes back as it was filled in."""
    before, after, chosen = _asked(request.form)
    try:
        made = migration.plan_migration(
            store(), actor=me(), from_id=before, to_id=after, chosen=chosen, reason=request.form.get("reason", ""), origin=origin()
        )
    except Invalid as refusal:
        return _plan_page(request.form, chosen, refusal), 422
    return redirect(f"/migrations/{made}", 303)


@page.get("/migrations/<int:migration_id>")
def one(migration_id: int) -> str:
    """One migration: the plan, how far it is, its cases."""
    with store().read() as session:
        sheet = migration_sheets.migration_sheet(session, me(), migration_id)
        state = request.args.get("state") or None
        found = migration_sheets.items(session, me(), migration_id, state=state)
    return render_template("migrations/page.html", sheet=sheet, found=found, state=state, states=list(migration_sheets.ITEM_STATES.items()))


@page.get("/migrations/<int:migration_id>/progress")
def progress(migration_id: int) -> str:
    """How far it is: asked again and again by the page while the worker is at it."""
    with store().read() as session:
        return render_template("migrations/_progress.html", sheet=migration_sheets.migration_sheet(session, me(), migration_id))


@page.get("/migrations/<int:migration_id>/items")
def items(migration_id: int) -> str:
    """The next lines of its cases."""
    state = request.args.get("state") or None
    with store().read() as session:
        found = migration_sheets.items(session, me(), migration_id, state=state, after=request.args.get("after"))
    return render_template("migrations/_items.html", found=found, migration_id=migration_id, state=state)


@page.get("/migrations/<int:migration_id>/preview")
def preview(migration_id: int) -> str:
    """What the stored plan would do to each case now, for the second person."""
    with store().read() as session:
        before, after, stored = migration_sheets.stored_plan(session, me(), migration_id)
    found = migration_preview.preview_plan(
        store(), actor=me(), from_id=before, to_id=after, plan=stored, after=request.args.get("after")
    )
    template = "migrations/_case_rows.html" if "after" in request.args else "migrations/_cases.html"
    return render_template(template, found=found, migration_id=migration_id)


@page.post("/migrations/<int:migration_id>/start")
def start(migration_id: int) -> ResponseReturnValue:
    """The second person agrees."""
    migration.start_migration(store(), migration_id, actor=me(), origin=origin())
    return redirect(f"/migrations/{migration_id}", 303)


@page.post("/migrations/<int:migration_id>/withdraw")
def withdraw(migration_id: int) -> ResponseReturnValue:
    """Takes it back before it was started."""
    migration.withdraw_migration(store(), migration_id, actor=me(), origin=origin())
    return redirect(f"/migrations/{migration_id}", 303)


@page.post("/migrations/<int:migration_id>/stop")
def stop(migration_id: int) -> ResponseReturnValue:
    """Stops it while it runs; what has moved stays moved."""
    migration.stop_migration(store(), migration_id, actor=me(), origin=origin())
    return redirect(f"/migrations/{migration_id}", 303)


@page.post("/migrations/<int:migration_id>/<any(rest, resume):act>")
def rest(migration_id: int, act: str) -> ResponseReturnValue:
    """Lets it rest, or go on."""
    migration.rest_migration(store(), migration_id, resting=act == "rest", actor=me(), origin=origin())
    return redirect(f"/migrations/{migration_id}", 303)


@page.get("/migrations/<int:migration_id>/cases.csv")
def export(migration_id: int) -> ResponseReturnValue:
    """All its cases as a table for a spreadsheet."""
    with store().read() as session:
        migration_sheets.migration_sheet(session, me(), migration_id)  # refuses before the first line is sent
    return spreadsheet(f"migration-{migration_id}", _table(migration_id))


def _table(migration_id: int) -> Iterator[tuple[str, ...]]:
    yield "办件编号", "状态", "保持原版本的原因", "处理时间"
    for line in _all_items(migration_id):
        yield line.number, line.state_name, line.reason or "", line.moved_at.isoformat(timespec="seconds") if line.moved_at else ""


def _all_items(migration_id: int) -> Iterator[migration_sheets.ItemLine]:
    after: str | None = None
    with store().read() as session:
        for _ in range(migration_sheets.EXPORT_MAX // EXPORT_PAGE):
            found = migration_sheets.items(session, me(), migration_id, after=after, limit=EXPORT_PAGE)
            yield from found.lines
            after = found.next
            if after is None:
                return


def _asked(form: Mapping[str, str]) -> tuple[int, int, dict[str, str]]:
    """From and to which version, and the chosen steps. Raises NotFound for what is no version."""
    ids = []
    for name in ("from", "to"):
        given = form.get(name, "")
        if not given.isascii() or not given.isdigit() or int(given[:20]) > ID_MAX:
            raise NotFound("没有找到该流程版本")
        ids.append(int(given))
    return ids[0], ids[1], {name.removeprefix(FIELD): value for name, value in form.items() if name.startswith(FIELD)}


def _plan_page(
    asked: Mapping[str, str], chosen: Mapping[str, str] | None, refusal: Invalid | None = None, *, tried: bool = False
) -> str:
    """The plan with its choices; `tried` with the cases at once, for who has no scripts to ask for them."""
    before, after, _ = _asked(asked)
    with store().read() as session:
        try:
            shown = migration_plan.plan_of(session, me(), before, after, chosen)
        except Invalid as wrong:
            if "plan" not in wrong.fields:
                raise
            # What names no step at all cannot be shown; the page begins anew with the proposal.
            shown, refusal = migration_plan.propose_plan(session, me(), before, after), refusal or wrong
    found = None
    if tried and not shown.errors:
        found = migration_preview.preview(store(), actor=me(), from_id=before, to_id=after, chosen=chosen)
    return render_template(
        "migrations/new.html", plan=shown, found=found, field=FIELD, reason=asked.get("reason", ""), errors=refusal.fields if refusal else {},
    )  # fmt: skip
