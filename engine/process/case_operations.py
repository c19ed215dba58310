"""Operations on the case itself that any process may need, whatever it is about."""

from __future__ import annotations

from engine.process.operations import Call, operation


@operation("cases.escalate", {})
def escalate(call: Call) -> bool:
    """Brings the case before the leading group: from now on those who see escalated cases see it."""
    call.instance.escalated = True
    return True
