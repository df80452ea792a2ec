"""Lie point symmetries: derived, counted, verified, applied."""
