"""What the stories about withheld resources look at: entries, resources, letters, notices, and an entry of the office itself."""

from __future__ import annotations

from engine.people.units import unit_id_of
from engine.process.notifying.reading import notices
from engine.sharing import catalogue, documents, negative_list
from engine.sharing.catalogue import add_resource
from engine.sharing.negative_list import EntryLine, enter
from tests.town import Town

#: 企业纳税明细信息 of 026, listed by an article that asks for confidentiality only.
TAXES = "3070211000026/000001"
#: 艾滋病病例个案信息 of 017, listed; its items are in the catalogue.
CASES = "202001/000003"


def entry_of(town: Town, resource: str = TAXES) -> EntryLine:
    """The newest entry of a resource, as a department that has nothing to do with it sees it."""
    with town.store.read() as session:
        return negative_list.entries_of(session, town.officer("014", "handler"), resource)[0]


def sheet_of(town: Town, resource: str = TAXES) -> catalogue.ResourceSheet:
    with town.store.read() as session:
        return catalogue.resource_sheet(session, town.officer("007", "handler"), resource)


def letters(town: Town, case: int) -> dict[str, str]:
    """Number of each document of a case, by kind."""
    with town.store.read() as session:
        return {line.kind: line.number for line in documents.documents_of(session, town.officer("024", "handler"), case)}


def text_of(town: Town, case: int, kind: str) -> str:
    office = town.officer("024", "handler")
    with town.store.read() as session:
        (found,) = [line for line in documents.documents_of(session, office, case) if line.kind == kind]
        return documents.document_sheet(session, office, found.id).words


def told(town: Town, unit: str, post: str) -> list[str]:
    with town.store.read() as session:
        return [notice.title for notice in notices(session, town.officer(unit, post)).lines]


def office_entry(town: Town) -> str:
    """A listed resource of the office itself, and its cataloguer; returns the code."""
    town.joins("office-cataloguer", "024", "cataloguer")
    code = "3070211000024/000001"
    with town.store.work() as work:
        row = add_resource(
            work, code=code, summary="初始编目", class_code="3070211000024", kind="business", name="平台运行日志",
            provider_id=unit_id_of(work.session, "024"), format="数据库", sharing_class="withheld", conditions="", method="",
            update_cycle="每日", update_deadline="", open_to_public=False, items=["时间", "接口"], state="published",
        )  # fmt: skip
        enter(
            work.session, row, at=work.now, instance_id=None, note="", state="listed", basis_type="law", basis="网络安全法",
            article="第二十一条", text="", reason="日志", valid_until=None, closed_at=None,
        )  # fmt: skip
    return code
