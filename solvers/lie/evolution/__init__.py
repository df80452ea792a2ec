"""Spectral collocation of evolution equations with moving data, sources and coefficients in space."""
