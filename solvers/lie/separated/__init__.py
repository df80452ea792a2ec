"""Solutions e^{λt} v(x) of equations whose coefficients depend on x: the ODE of a derived generator, solved."""
