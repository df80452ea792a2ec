"""Exact solutions of steady equations in the plane: polynomials, corner functions, poles, Bessel functions."""
