"""Evolutions on a disk."""
