"""Problems as JSON-able dictionaries and arrays, and their fingerprint."""

from __future__ import annotations

import hashlib
import json
import warnings
from typing import Any

import numpy as np

from sciml.conditions import Condition, Dirichlet, Neumann, Observations, Periodic, Robin
from sciml.errors import CheckpointError, NotSymbolicError, ProblemWarning
from sciml.expression_json import from_json, to_json
from sciml.geometry import geometry_from_dict
from sciml.ibvp import IBVP
from sciml.unknowns import Unknown

_FACE_CONDITIONS: dict[str, Any] = {"Dirichlet": Dirichlet, "Neumann": Neumann}


def problem_to_json(problem: IBVP) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A problem as a JSON-able dictionary and its observation arrays.

    Args:
        problem: The problem.

    Returns:
        Dictionary and arrays.
    """
    arrays: dict[str, np.ndarray] = {}
    observations = []
    for i, observed in enumerate(problem.observations):
        arrays[f"observations.{i}.points"], arrays[f"observations.{i}.values"] = (
            observed.points,
            observed.values,
        )
        observations.append({
            "quantity": to_json(observed.quantity),
            "sigma": observed.sigma,
            "name": observed.name,
        })
    data = {
        "domain": problem.domain.to_dict(),
        "time": [to_json(part) for part in problem.time] if problem.time else None,
        "equations": [to_json(equation) for equation in problem.equations],
        "equation_names": list(problem.equation_names),
        "fields": [to_json(known) for known in problem.fields],
        "initial": [[to_json(key), to_json(value)] for key, value in problem.initial.items()],
        "boundary": [_condition(problem, term.condition, term) for term in problem.terms
                     if term.condition is not None and term.kind != "observation"],
        "parameters": [[to_json(symbol), to_json(value)] for symbol, value in problem.parameters.items()],
        "unknowns": [[to_json(s), [u.start, u.lower, u.upper]] for s, u in problem.unknowns.items()],
        "observations": observations,
        "name": problem.name,
    }  # fmt: skip
    return data, arrays


def _condition(problem: IBVP, condition: Any, term: Any) -> dict[str, Any]:
    kind = type(condition).__name__
    if isinstance(condition, Periodic):
        return {"type": kind, "field": to_json(condition.field), "on": list(condition.on),
                "derivatives": bool(condition.derivatives)}  # fmt: skip
    if isinstance(condition, Condition):
        on: Any = condition.on
        if condition.point is not None:
            on = [[to_json(symbol), to_json(value)] for symbol, value in condition.point.items()]
        return {"type": kind, "residual": to_json(term.expressions[0]), "on": on if on is None else list(on),
                "point": condition.point is not None}  # fmt: skip
    value = condition.operator(problem.space) - term.expressions[0]
    entry = {"type": kind, "field": to_json(condition.field), "value": to_json(value),
             "on": None if condition.on is None else list(condition.on)}  # fmt: skip
    if isinstance(condition, Robin):
        entry["beta"] = to_json(condition.beta)
    return entry


def problem_from_json(data: dict[str, Any], arrays: dict[str, np.ndarray]) -> IBVP:
    """Rebuild a problem; it is validated like any other.

    Args:
        data: From `problem_to_json`.
        arrays: Its arrays.

    Returns:
        The problem.

    Raises:
        CheckpointError: If the data are malformed.
        NotSymbolicError: If the statement needs a Python function, which files never hold.
    """
    try:
        observations = [
            Observations(from_json(entry["quantity"]), arrays[f"observations.{i}.points"],
                         arrays[f"observations.{i}.values"], entry["sigma"], entry["name"])
            for i, entry in enumerate(data["observations"])
        ]  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ProblemWarning)  # said when the problem was first built
            return IBVP(
                pde=dict(zip(data["equation_names"], map(from_json, data["equations"]), strict=True)),
                domain=geometry_from_dict(data["domain"]),
                time=tuple(map(from_json, data["time"])) if data["time"] else None,
                initial={from_json(key): from_json(value) for key, value in data["initial"]},
                boundary=[_read_condition(entry) for entry in data["boundary"]],
                parameters={from_json(s): from_json(v) for s, v in data["parameters"]},
                unknowns={from_json(s): Unknown(*u) for s, u in data["unknowns"]},
                observations=observations,
                fields=[from_json(known) for known in data["fields"]],
                name=data["name"],
            )
    except (CheckpointError, NotSymbolicError):
        raise
    except Exception as error:  # a forged statement may fail anywhere in SymPy
        raise CheckpointError(
            "a well-formed problem", f"{type(error).__name__}: {error}", "the file is damaged"
        ) from None


def _read_condition(entry: dict[str, Any]) -> Any:
    kind = entry["type"]
    if kind == "Periodic":
        return Periodic(from_json(entry["field"]), tuple(entry["on"]), entry["derivatives"])
    if kind == "Condition":
        on = {from_json(s): from_json(v) for s, v in entry["on"]} if entry["point"] else entry["on"]
        return Condition(from_json(entry["residual"]), on)
    field, value = from_json(entry["field"]), from_json(entry["value"])
    if kind == "Robin":
        return Robin(field, from_json(entry["beta"]), value, entry["on"])
    if kind not in _FACE_CONDITIONS:
        raise CheckpointError(f"a condition of {sorted(_FACE_CONDITIONS)}, Robin, Periodic, Condition", repr(kind), "")
    return _FACE_CONDITIONS[kind](field, value, entry["on"])


def fingerprint(problem: IBVP) -> str:
    """SHA-256 of a problem's statement; equal statements have equal fingerprints."""
    return stored_fingerprint(*problem_to_json(problem))


def stored_fingerprint(data: dict[str, Any], arrays: dict[str, np.ndarray]) -> str:
    """The fingerprint of a problem as it was stored, without building it: its Python functions are not in the file.

    Args:
        data: From `problem_to_json`.
        arrays: At least its arrays; those of other names do not count.

    Returns:
        SHA-256 in hexadecimal digits.
    """
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode())
    for name in sorted(name for name in arrays if name.startswith("observations.")):
        digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()
