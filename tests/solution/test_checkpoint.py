"""Checkpoints: bitwise reload, and every kind of damage is noticed."""

import json
import os

import numpy as np
import pytest
import sympy as sp

from sciml import (
    IBVP,
    CheckpointError,
    Condition,
    Dirichlet,
    ExactSolution,
    Interval,
    Neumann,
    Observations,
    Periodic,
    Rectangle,
    Robin,
    coordinates,
    field,
    load_solution,
)
from sciml import checkpoint as module
from sciml.expression_json import from_json, to_json
from sciml.problem_json import fingerprint, problem_from_json, problem_to_json

x, y, t = coordinates("x y t")
u, v = field("u", x, t), field("v", x, t)
k, d = sp.Symbol("k", positive=True), coordinates("d")
SEEN = Observations(u, np.array([[0.25, 0.5], [0.75, 0.125]]), [0.1, 0.3], sigma=0.01)


def heat(**changes) -> IBVP:
    base = {
        "pde": u.diff(t) - k * u.diff(x, 2),
        "domain": Interval(x, 0, 1),
        "time": (t, 0, 1),
        "initial": {u: sp.sin(sp.pi * x)},
        "boundary": [Dirichlet(u, 0)],
        "parameters": {k: 0.1},
    }
    return IBVP(**{**base, **changes})


def exact(problem: IBVP) -> ExactSolution:
    return ExactSolution(problem, sp.exp(-k * sp.pi**2 * t) * sp.sin(sp.pi * x))


PROBLEMS = {
    "heat": heat,
    "inverse": lambda: heat(
        pde=u.diff(t) - d * u.diff(x, 2), parameters={}, unknowns={d: (0.5, 0, None)}, observations=[SEEN]
    ),
    "conditions": lambda: heat(
        boundary=[
            Robin(u, 1 + t, -sp.pi * sp.exp(-t), on="left"),
            Condition(u.diff(x) + u**3, on="right"),
            Condition(u - 1, on={x: 0, t: 1}),
        ]
    ),
    "wave": lambda: heat(
        pde={"wave": u.diff(t, 2) - u.diff(x, 2)},
        parameters={},
        initial={u: 0, u.diff(t): sp.sin(2 * sp.pi * x)},
        boundary=[Periodic(u)],
        name="string",
    ),
    "system": lambda: heat(
        pde=[u.diff(t) - v.diff(x, 2), v.diff(t) + u.diff(x, 2) * sp.Piecewise((1, x < 1), (2, True))],
        parameters={},
        fields=[v, u],
        initial={u: 0, v: sp.Heaviside(x - 2)},
        boundary=[Neumann(u, 0), Neumann(v, 0)],
    ),
    "plane": lambda: IBVP(
        sp.Function("w", positive=True)(x, y).diff(x, 2) + sp.Function("w", positive=True)(x, y).diff(y, 2),
        Rectangle((x, 0, 1), (y, 0, 1)),
        boundary=[Dirichlet(sp.Function("w", positive=True)(x, y), x * y)],
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_survives_json(name: str) -> None:
    problem = PROBLEMS[name]()
    data, arrays = problem_to_json(problem)
    again = problem_from_json(json.loads(json.dumps(data)), arrays)
    assert [term.name for term in again.terms] == [term.name for term in problem.terms]
    assert [term.expressions for term in again.terms] == [term.expressions for term in problem.terms]
    assert (again.fields, again.parameters, again.unknowns) == (problem.fields, problem.parameters, problem.unknowns)
    assert (again.time, again.domain, again.name) == (problem.time, problem.domain, problem.name)
    assert fingerprint(again) == fingerprint(problem) == fingerprint(PROBLEMS[name]())


def test_fingerprints_tell_problems_apart() -> None:
    changed = [
        heat(),
        heat(parameters={k: 0.2}),
        heat(time=(t, 0, 2)),
        heat(domain=Interval(x, 0, 2)),
        heat(name="rod"),
        heat(boundary=[Neumann(u, 0)]),
        heat(initial={u: sp.sin(2 * sp.pi * x)}),
        heat(observations=[SEEN]),
    ]
    assert len({fingerprint(problem) for problem in changed}) == len(changed)


def test_reloaded_values_are_bitwise_equal(tmp_path) -> None:
    problem = heat(observations=[SEEN])
    solution = exact(problem)
    solution.history["loss"] = [1.0, 0.1, float("nan")]
    points = np.random.default_rng(0).random((200, 2))
    assert solution.save(tmp_path / "heat") == tmp_path / "heat.json"
    for again in (load_solution(tmp_path / "heat"), load_solution(tmp_path / "heat", problem=problem)):
        assert again.evaluate(points).tobytes() == solution.evaluate(points).tobytes()
        assert again.residual(points).tobytes() == solution.residual(points).tobytes()
        assert again.status == "exact"
        np.testing.assert_array_equal(again.history["loss"], [1.0, 0.1, np.nan])
        assert again.problem.observations[0].values.tobytes() == SEEN.values.tobytes()


def test_every_changed_byte_and_every_truncation_is_noticed(tmp_path) -> None:
    exact(heat(observations=[SEEN])).save(tmp_path / "heat")
    files = sorted(tmp_path.iterdir())
    assert [file.suffix for file in files] == [".safetensors", ".json"]
    for file in files:
        blob = file.read_bytes()
        for i in range(0, len(blob), 7):
            file.write_bytes(blob[:i] + bytes([blob[i] ^ (1 << i % 8)]) + blob[i + 1 :])
            with pytest.raises(CheckpointError):
                load_solution(tmp_path / "heat")
        for length in (0, 1, len(blob) // 2, len(blob) - 1):
            file.write_bytes(blob[:length])
            with pytest.raises(CheckpointError):
                load_solution(tmp_path / "heat")
        file.write_bytes(blob + b" ")
        with pytest.raises(CheckpointError):
            load_solution(tmp_path / "heat")
        file.write_bytes(blob)
    assert load_solution(tmp_path / "heat").status == "exact"


def test_missing_files_and_foreign_problems(tmp_path) -> None:
    exact(heat()).save(tmp_path / "heat")
    with pytest.raises(CheckpointError, match="no file"):
        load_solution(tmp_path / "other")
    with pytest.raises(CheckpointError, match="a solution of the problem given"):
        load_solution(tmp_path / "heat", problem=heat(parameters={k: 0.2}))
    next(tmp_path.glob("*.safetensors")).unlink()
    with pytest.raises(CheckpointError, match="missing"):
        load_solution(tmp_path / "heat")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "os.system"},
        {"kind": ["exact"]},
        {"schema": 99},
        {"problem": {}},
        {"meta": {}},
        {"meta": {"expressions": [["apply", "exec", ["number", "1", "1"]]]}},
        {"arrays": {}},
    ],
)
def test_sealed_nonsense_is_refused(tmp_path, change) -> None:
    exact(heat()).save(tmp_path / "heat")
    manifest = tmp_path / "heat.json"
    content = {**json.loads(manifest.read_text())["content"], **change}
    manifest.write_bytes(module._seal(content))
    with pytest.raises(CheckpointError):
        load_solution(tmp_path / "heat")


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failed_save_leaves_the_old_state_and_nothing_else(tmp_path, monkeypatch, failing: int) -> None:
    exact(heat(observations=[SEEN])).save(tmp_path / "heat")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    replace, calls = os.replace, []

    def full_disk(source, target):
        calls.append(target)
        if len(calls) == failing:
            raise OSError("no space left")
        replace(source, target)

    monkeypatch.setattr(module.os, "replace", full_disk)
    with pytest.raises(CheckpointError, match="no space left"):
        exact(heat(parameters={k: 0.3})).save(tmp_path / "heat")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    monkeypatch.undo()
    exact(heat(parameters={k: 0.3})).save(tmp_path / "heat")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("path", ["heat.json", "missing/heat", "heat.safetensors"])
def test_paths_that_cannot_be_written(tmp_path, path: str) -> None:
    with pytest.raises(CheckpointError, match="without suffix"):
        exact(heat()).save(tmp_path / path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "tree",
    [
        ["apply", "eval", ["number", "1", "1"]],
        ["number", "1"],
        ["symbol", 3, {}],
        "x",
        [],
        None,
        ["number", "9" * 5000, "1"],
        ["apply", "Pow", ["number", "9", "1"], ["number", "99999", "1"]],
        ["apply", "factorial", ["number", "99999999", "1"]],
        ["apply", "Pow", ["number", "2", "1"], ["number", "1000000000", "3"]],
        ["apply", "floor", ["apply", "exp", ["number", "1000000000", "1"]]],
        ["apply", "StrictLessThan", ["apply", "exp", ["apply", "exp", ["number", "99", "1"]]], ["number", "1", "1"]],
        ["constant", "quit"],
        ["derivative", ["constant", "pi"], 3],
    ],
)
def test_malformed_expressions_are_refused(tree) -> None:
    with pytest.raises(CheckpointError):
        from_json(tree)


def test_expressions_of_every_head_survive() -> None:
    from sciml.expressions.functions import FUNCTIONS

    for head in FUNCTIONS:
        for arguments in ((x,), (x, t), (x > 0, t > 0), (x > 0,)):
            try:
                expression = head(*arguments)
            except (TypeError, ValueError, AttributeError):
                continue
            if isinstance(expression, sp.Basic):
                assert from_json(json.loads(json.dumps(to_json(expression)))) == expression
