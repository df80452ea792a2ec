"""Verification: one certificate for the solution of any solver, a module of one's own, or a formula."""

from sciml.verification.certificate import Certificate, Check
from sciml.verification.verifying import unmet_equations, verify

__all__ = ["Certificate", "Check", "unmet_equations", "verify"]
