"""The two sides never read each other's settings, so that their clocks fit is said here."""

from __future__ import annotations

from django.conf import settings

from workers import claims, reporter


def test_a_node_whose_report_was_lost_speaks_again_before_its_leases_run_out() -> None:
    assert reporter.MAX_PATIENCE_S + reporter.PERIOD_S < settings.LEASE_SECONDS


def test_an_order_is_not_recalled_while_its_claim_may_be_answered() -> None:
    assert claims.PATIENCE_S < settings.ACCEPT_SECONDS
