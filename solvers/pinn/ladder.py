"""Which optimiser, for how many steps: chosen by the number of parameters, or as the user says."""

from __future__ import annotations

from typing import Any

from sciml.errors import SolverError
from solvers.pinn.optimisers import LBFGS, SOAP, Adam, GaussNewton, LevenbergMarquardt, Optimiser, SSBroyden
from solvers.pinn.training import Phase

DENSE = 4000  # parameters up to which a dense factor is the fastest way
# name -> class, usual number of steps, steps between looks at the held-out residual, and between draws of new
# points: quasi-Newton memory is lost with the points, damping and averages are not
NAMES: dict[str, tuple[type, int, int, int]] = {
    "lm": (LevenbergMarquardt, 400, 5, 10),
    "gauss-newton": (GaussNewton, 20, 1, 10),
    "lbfgs": (LBFGS, 3000, 25, 500),
    "ssbroyden": (SSBroyden, 3000, 25, 500),
    "adam": (Adam, 5000, 100, 100),
    "soap": (SOAP, 3000, 100, 100),
}


def phases_for(choice: Any, steps: int | None, parameters: int) -> list[Phase]:
    """The phases of a training.

    Args:
        choice: "auto", a name, an optimiser, or a list of `(name or optimiser, steps)`.
        steps: Most steps of a single choice.
        parameters: Number of parameters.

    Returns:
        The phases.

    Raises:
        SolverError: If a name is unknown.
    """
    if choice == "auto":
        choice = "lm" if parameters <= DENSE else [("soap", 1000), ("lbfgs", steps)]
    pairs = choice if isinstance(choice, (list, tuple)) else [(choice, steps)]
    return [_phase(optimiser, number) for optimiser, number in pairs]


def _phase(choice: Any, steps: int | None) -> Phase:
    if isinstance(choice, str) and choice in NAMES:
        make, usual, look, renew = NAMES[choice]
        return Phase(make(), usual if steps is None else steps, look, renew)
    if hasattr(choice, "step") and hasattr(choice, "moved"):
        optimiser: Optimiser = choice
        return Phase(optimiser, 400 if steps is None else steps)
    raise SolverError(f"an optimiser: {', '.join(NAMES)}", repr(choice), 'PINN(..., optimiser="lm")')
