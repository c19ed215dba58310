"""What a rule set's file says beside its processes holds for the rule sets that are based on it."""

from __future__ import annotations

import pytest

from engine.sharing.schedule import section_of
from engine.store.settings import ROOT

RULE_SETS = ROOT / "bpmn"


@pytest.mark.parametrize("name", ["expiry", "evaluation"])
def test_a_rule_set_takes_over_what_it_does_not_say_itself(name: str) -> None:
    found = section_of(RULE_SETS, "national_2025", name)
    assert found and found == section_of(RULE_SETS, "liaoyang_2018", name)


def test_what_no_rule_set_says_is_nothing() -> None:
    assert section_of(RULE_SETS, "national_2025", "fees") is None
    assert section_of(RULE_SETS, "nowhere_1999", "expiry") is None
