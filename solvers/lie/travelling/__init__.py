"""Travelling profiles: the data themselves as seeds of waves."""
