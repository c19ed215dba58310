"""The national regulation in the town: processes of the second rule set put into force, beside those of the first."""

from __future__ import annotations

from engine.process.definitions import deploy
from engine.process.package import read_package
from engine.store.clock import shanghai
from engine.store.settings import ROOT
from tests.town import Town

RULES = ROOT / "bpmn" / "national_2025"


def activate(town: Town, *processes: str, effective: str | None = None) -> None:
    """The process admin puts processes of the national regulation into force, from that moment on or from now on."""
    for process in processes:
        deploy(
            town.store,
            read_package(RULES / process, RULES.name),
            actor=town.officer("024", "process_admin"),
            approved_by=town.officer("024", "process_approver"),
            reason="适用政务数据共享条例",
            effective_at=shanghai(effective) if effective else None,
        )
