"""Rules: from indicators to findings, one function per fault."""

from __future__ import annotations

from collections.abc import Callable

from influence.diagnosis.balance_faults import at_rest, ignored, nearly_singular, propagation
from influence.diagnosis.data_faults import contradiction, missed_sigma
from influence.diagnosis.findings import Finding
from influence.diagnosis.indicators import Indicators
from influence.diagnosis.training_faults import cancelling, leftover, overfitting, unconverged, vanishing

Rule = Callable[[Indicators], list[Finding]]

RULES: tuple[Rule, ...] = (
    vanishing, overfitting, propagation, at_rest, ignored, contradiction, unconverged, nearly_singular, cancelling,
)  # fmt: skip


def judged(found: Indicators) -> list[Finding]:
    """All findings, faults first.

    Args:
        found: The indicators.

    Returns:
        Findings; none is a fault where the solution is healthy.
    """
    findings = [finding for rule in RULES for finding in rule(found)]
    if not any(finding.level == "fault" for finding in findings):
        findings += missed_sigma(found) or leftover(found)
    return sorted(findings, key=lambda finding: finding.level)
