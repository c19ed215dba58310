"""A countersign 会签: the instances of a multi-instance task vote, and the step ends as soon as the result is certain.

Passed is what enough of all those asked have approved; whoever votes anything else, or gives no vote, does not approve. The
number of approvals that are needed is fixed when the step opens. Where nobody is asked nobody has approved: not passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from engine.process.interpreter.expressions import ExpressionError

#: 会签 (everybody), 或签 (one is enough), 票签 (a share of all).
MODES = ("all", "any", "ratio")
#: A share such as 2/3 comes as a float: it is the fraction with the smallest denominator beside it.
_DENOMINATOR = 10_000


@dataclass(frozen=True, slots=True)
class Countersign:
    """What a user task says of its countersign, as written."""

    mode: str
    vote: str
    """Key of the form's field that holds the vote."""
    approve: str
    """The value of it that counts as approval."""
    result: str
    """The case's variable that gets the result."""
    ratio: str | None = None
    """Expression giving the share of all that must approve, above 0 and up to 1."""

    def approves(self, value: Any) -> bool:
        """Whether a vote is an approval."""
        return value is not None and str(value) == self.approve

    def needed(self, total: int, ratio: Any) -> int:
        """How many approvals of `total` let it pass. Raises ExpressionError for a ratio that is no share."""
        if self.mode != "ratio":
            return total if self.mode == "all" else 1
        return ceil(total * share(ratio))


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes so far."""

    needed: int
    total: int
    yes: int = 0
    no: int = 0

    def with_vote(self, approves: bool) -> Tally:
        """One vote more."""
        return Tally(self.needed, self.total, self.yes + approves, self.no + (not approves))

    @property
    def left(self) -> int:
        """How many have not voted."""
        return self.total - self.yes - self.no

    @property
    def certain(self) -> bool:
        """Whether those who are left cannot change the result."""
        return self.passed or self.yes + self.left < self.needed or not self.left

    @property
    def passed(self) -> bool:
        """Whether enough have approved; of nobody asked nobody has."""
        return self.total > 0 and self.yes >= self.needed

    def result(self) -> dict[str, Any]:
        """What the case's variable gets."""
        return {"passed": self.passed, "yes": self.yes, "no": self.no, "total": self.total}


def share(ratio: Any) -> Fraction:
    """A share as an exact fraction, so that two thirds of three are two. Raises ExpressionError unless above 0 and up to 1."""
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 < ratio <= 1:
        raise ExpressionError("会签的通过比例（ratio）应当大于0、不大于1")
    found = Fraction(ratio).limit_denominator(_DENOMINATOR)
    return found or Fraction(ratio)


def countersign_of(properties: Mapping[str, str]) -> Countersign | None:
    """The countersign that the properties of a task describe; None for a task without one."""
    mode = properties.get("countersign")
    if not mode:
        return None
    return Countersign(
        mode, properties.get("vote", ""), properties.get("approve", ""), properties.get("result", ""), properties.get("ratio") or None
    )
