"""The operator's page of webhooks: entered, shown its secret once, tried, delivered again, stopped and removed."""

from __future__ import annotations

import re
from collections.abc import Callable

from engine.process.instances import terminate_instance
from engine.process.outside.webhooks import deliveries
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of

URL = "https://platform.example.cn/hook"


def test_a_webhook_from_entry_to_removal(desk: Callable[[str], Desk], cast: Cast) -> None:
    operator = desk("sysadmin")
    assert "还没有事件推送" in text_of(operator.get("/webhooks"))
    refused = operator.post("/webhooks", {"name": "", "url": "http://10.0.0.1/"})
    assert refused.status_code == 422
    assert "请填写名称" in text_of(refused) and "只能使用 https" in text_of(refused) and "http://10.0.0.1/" in text_of(refused)
    made = operator.post("/webhooks", {"name": "共享平台", "url": URL, "kinds": ["case.started", "case.ended"]})
    [secret] = set(re.findall(r"whsec_[A-Za-z0-9+/=]{44}", text_of(made)))
    assert made.headers["Cache-Control"].startswith("no-store")
    assert secret not in text_of(operator.get("/webhooks/1")), "it is shown once"
    case = desk("asker").ask()
    terminate_instance(cast.store, case, actor=cast.actor("supervisor"), reason="无需办理")
    shown = text_of(operator.get("/webhooks/1"))
    assert "办件发起" in shown and "办件办结或终止" in shown and "等待推送" in shown and "待办产生</td>" not in shown
    assert operator.post("/webhooks/1/test").status_code == 303
    with cast.store.read() as session:
        assert [line.kind for line in deliveries(session, cast.actor("sysadmin"), 1)] == ["test", "case.ended", "case.started"]
    assert "正等待推送" in text_of(operator.post("/webhooks/1/deliveries/1", follow_redirects=True))
    assert secret not in text_of(operator.post("/webhooks/1/secret")), "the old one is gone"
    assert operator.post("/webhooks/1", {"name": "共享平台", "url": "https://other.example.cn/"}).status_code == 303
    assert "停用" in text_of(operator.get("/webhooks"))
    assert operator.post("/webhooks/1/remove").status_code == 303
    assert operator.get("/webhooks/1").status_code == 404
