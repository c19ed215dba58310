"""What the modeler asks of the server besides saving: what it is offered, how an overtaken editor keeps their work, who may."""

from __future__ import annotations

from collections.abc import Callable

from engine.process.workshop.drafts import draft_sheet, save_draft
from tests.web.cast import Cast
from tests.web.desk import Desk
from tests.web.test_drafts import begin, diagram_of, put

Desks = Callable[[str], Desk]


def test_the_panel_is_offered_the_drafts_own_forms_and_what_is_deployed(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    offered = editor.get(f"/drafts/{begin(editor, cast)}/vocabulary").get_json()
    assert any(form["value"] == "reply" for form in offered["forms"])
    assert any(process["value"] == "conditional_share" for process in offered["processes"])
    grant = next(operation for operation in offered["operations"] if operation["name"] == "sharing.grant")
    assert {parameter["name"] for parameter in grant["parameters"] if parameter["required"]} == {"resource", "applicant_unit"}


def test_an_overtaken_editor_keeps_their_diagram_as_another_draft(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    mine = diagram_of(cast, draft).replace('sharing:workingDays="10"', 'sharing:workingDays="6"')
    save_draft(cast.store, draft, actor=cast.actor("editor"), revision=1, forms={"intake": {"title": "受理", "fields": []}})
    answer = put(editor, f"/drafts/{draft}/copies", {"xml": mine}, "POST")
    assert answer.status_code == 201
    with cast.store.read() as session:
        first, second = (draft_sheet(session, cast.actor("editor"), number) for number in (draft, answer.get_json()["id"]))
    assert second.package.xml.decode() == mine
    assert (second.base_id, second.package.forms, second.revision) == (first.base_id, first.package.forms, 1)
    assert 'sharing:workingDays="10"' in first.package.xml.decode()


def test_a_copy_refuses_what_is_not_safe_to_open(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    for xml in ("", "<", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "<definitions/>"):
        answer = put(editor, f"/drafts/{draft}/copies", {"xml": xml}, "POST")
        assert answer.status_code == 422, xml
        assert answer.get_json()["message"]
    assert put(editor, f"/drafts/{draft}/copies", {}, "POST").status_code == 422


def test_who_may_not_edit_diagrams_gets_neither_offer_nor_copy(desk: Desks, cast: Cast) -> None:
    draft = begin(desk("editor"), cast)
    xml = diagram_of(cast, draft)
    asker = desk("asker")
    asker.get("/")
    assert asker.get(f"/drafts/{draft}/vocabulary").status_code == 403
    assert put(asker, f"/drafts/{draft}/copies", {"xml": xml}, "POST").status_code == 403


def test_only_the_modelers_page_may_set_style_attributes_and_none_may_run_inline_scripts(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    policies = {path: editor.get(path).headers["Content-Security-Policy"] for path in (f"/drafts/{draft}", f"/drafts/{draft}/xml", "/diagrams")}
    assert [path for path, policy in policies.items() if "unsafe" in policy] == [f"/drafts/{draft}"]
    relaxed = policies[f"/drafts/{draft}"]
    assert relaxed.count("unsafe") == 1 and "style-src-attr 'unsafe-inline'" in relaxed and "default-src 'self'" in relaxed
