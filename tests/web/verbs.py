"""The request of the page tests with every verb allowed at every step, whatever the shipped diagram says."""

from __future__ import annotations

import re
from dataclasses import replace

from engine.process.definitions import deploy_in, in_force
from engine.process.package import Package
from engine.store.clock import shanghai
from tests.web.cast import Cast

ALL = "return,withdraw,transfer,delegate,add_signer,copy_to,urge"


def allow_verbs(cast: Cast) -> None:
    """Deploys the request once more, with all verbs; cases that begin from now on follow it."""
    with cast.store.read() as session:
        found = in_force(session, "conditional_share", cast.store.clock.now())
        package = Package(found.rule_set, found.diagram.xml, dict(found.forms), dict(found.documents))
    without = re.sub(rb'\s*<spiffworkflow:property name="(?:actions|returnTo)"[^>]*/>', b"", package.xml)
    allowed = f'<spiffworkflow:property name="actions" value="{ALL}" />'.encode()
    xml = without.replace(b'<spiffworkflow:property name="ruleSet"', allowed + b'<spiffworkflow:property name="ruleSet"', 1)
    with cast.store.work() as work:
        deploy_in(work, replace(package, xml=xml), by="editor", approved_by="approver", reason="各环节开放全部操作",
                  effective_at=shanghai("2026-02-01"))  # fmt: skip
