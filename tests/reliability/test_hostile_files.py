"""Files from anyone: whatever they hold, a loader answers with a solution or a CheckpointError, and runs no code."""

import contextlib
import copy
import json
import os
import random
import resource
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.resampling.store import Outcome, append, read
from influence import Influence
from influence.scores import KIND, Scores
from sciml import IBVP, MLP, CheckpointError, Dirichlet, ExactSolution, Interval, coordinates, field, load_solution
from sciml.checkpoint import _open, _seal, read_tables, write_tables
from sciml.errors import SolverWarning
from sciml.expression_json import from_json
from sciml.quantum import QuantumNetwork, reuploading
from solvers import PINN, FiniteElement, LieSolver, point_symmetries
from solvers.pinn import Checkpoint
from solvers.symmetry.algebra import SymmetryAlgebra

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)

KINDS = ["constant", "number", "float", "symbol", "derivative", "piecewise", "field", "numeric", "apply", "eval"]
HEADS = ["Pow", "Add", "Mul", "exp", "floor", "factorial", "Max", "StrictLessThan", "Heaviside", "__import__", "Mod"]
LEAVES: list[Any] = [None, True, 0, -1, 3, 2**70, 1e308, float("nan"), "", "x", "u", "pi", "9" * 50, "-1", "__class__",
                     "os.system", "0x1.8p+1", "0x1p99999", {}, {"positive": True}, []]  # fmt: skip


def tree(generator: random.Random, depth: int = 4) -> Any:
    """Nested lists that look like expressions."""
    if depth == 0 or generator.random() < 0.2:
        return generator.choice(LEAVES)
    kind = generator.choice(KINDS)
    rest = [tree(generator, depth - 1) for _ in range(generator.randrange(4))]
    if kind == "apply":
        rest.insert(0, generator.choice(HEADS))
    if kind == "number":
        rest = [str(generator.choice([0, 1, -2, 10**9, 7])), str(generator.choice([1, 2, 3, 0, -1]))]
    return [kind, *rest]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) inside."""
    found = []
    if isinstance(value, (dict, list)):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            found += [(value, key), *places(value[key])]
    return found


def changed(content: dict[str, Any], generator: random.Random) -> dict[str, Any]:
    """A copy with one to three entries replaced, removed, doubled or swapped."""
    content = copy.deepcopy(content)
    for _ in range(generator.randint(1, 3)):
        container, key = generator.choice(places(content))
        action = generator.randrange(4)
        try:
            if action == 0:
                container[key] = tree(generator, 2)
            elif action == 1:
                container.pop(key)
            elif action == 2:
                container[key] = [container[key], container[key]]
            else:
                other, place = generator.choice(places(content))
                container[key], other[place] = copy.deepcopy(other[place]), copy.deepcopy(container[key])
        except (LookupError, TypeError):  # an entry that an earlier change removed
            continue
    return content


def forge(manifest: Path, content: dict[str, Any], arrays: dict[str, str]) -> bool:
    """Write a sealed manifest; False if JSON cannot hold it."""
    try:
        manifest.write_bytes(_seal({**content, "schema": 1, "arrays": arrays}))
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def content_of(manifest: Path) -> dict[str, Any]:
    return json.loads(manifest.read_bytes())["content"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    ExactSolution(HEAT, sp.exp(-(sp.pi**2) * t) * sp.sin(sp.pi * x)).save(folder / "exact")
    PINN(MLP(width=4, depth=2), steps=3, progress=False).solve(HEAT).save(folder / "pinn")
    LieSolver().solve(HEAT).save(folder / "lie")
    FiniteElement(mesh_size=0.2, steps=8).solve(HEAT).save(folder / "element")
    PINN(MLP(width=4, depth=1), steps=3, slabs=2, progress=False).solve(HEAT).save(folder / "marched")
    (folder / "algebra.txt").write_text(point_symmetries(HEAT).to_json())
    circuit = reuploading(features=2, qubits=2, layers=2)
    quantum = PINN(QuantumNetwork(circuit, readout="affine"), steps=2, progress=False).solve(HEAT)
    quantum.save(folder / "quantum")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolverWarning)
        Influence(quantum).scores(u, at=[[0.3, 0.5], [0.6, 0.2]]).save(folder / "scores")
    return folder


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a file could only reach by running code."""
    events: list[str] = []
    forbidden = ("os.system", "subprocess.Popen", "socket.connect", "exec", "compile", "os.remove", "shutil.rmtree")
    active = [True]

    def hook(event: str, arguments: tuple) -> None:
        if active[0] and event in forbidden:
            caller = sys._getframe(1).f_code.co_filename
            if "torch" not in caller and "sympy" not in caller and "importlib" not in caller and "<" not in caller:
                events.append(f"{event} in {caller}")

    sys.addaudithook(hook)
    yield events
    active[0] = False


def check_trees(generator: random.Random, count: int) -> None:
    for _ in range(count):
        forged = tree(generator)
        with contextlib.suppress(CheckpointError):
            assert isinstance(from_json(forged), sp.Basic)


def check_manifests(folder: Path, generator: random.Random, count: int) -> dict[str, int]:
    outcome = {"refused": 0, "loaded": 0}
    for name in ("exact", "pinn", "lie", "element", "quantum", "marched"):
        content = content_of(folder / f"{name}.json")
        for _ in range(count):
            if not forge(folder / "forged.json", changed(content, generator), content["arrays"]):
                continue
            try:
                load_solution(folder / "forged")
                outcome["loaded"] += 1
            except CheckpointError:
                outcome["refused"] += 1
    return outcome


def check_algebras(folder: Path, generator: random.Random, count: int) -> dict[str, int]:
    content, outcome = json.loads((folder / "algebra.txt").read_text()), {"refused": 0, "loaded": 0}
    for _ in range(count):
        try:
            SymmetryAlgebra.from_json(json.dumps(changed(content, generator)))
            outcome["loaded"] += 1
        except CheckpointError:
            outcome["refused"] += 1
    return outcome


def test_forged_symmetry_algebras(saved: Path, watched: list[str]) -> None:
    outcome = check_algebras(saved, random.Random(6), 60)
    assert outcome["refused"] > 20, outcome
    assert watched == []


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_no_json_is_an_expression_by_accident(value: object) -> None:
    with pytest.raises(CheckpointError):
        from_json(value)


def test_forged_expressions(watched: list[str]) -> None:
    check_trees(random.Random(0), 3000)
    assert watched == []


@pytest.mark.filterwarnings("ignore")
def test_forged_solutions(saved: Path, watched: list[str]) -> None:
    outcome = check_manifests(saved, random.Random(1), 25)
    assert outcome["refused"] > 40  # the changes do change something
    assert watched == []


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_are_a_manifest_by_accident(tmp_path: Path, blob: bytes) -> None:
    (tmp_path / "bytes.json").write_bytes(blob)
    with pytest.raises(CheckpointError):
        _open(tmp_path / "bytes")


def test_sizes_are_checked_before_memory_is_taken(saved: Path) -> None:
    content = content_of(saved / "pinn.json")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for change in ({"width": 10**6}, {"depth": 10**9}, {"width": 10**12, "depth": 1}, {"width": -3}, {"width": "9"}):
        meta = {**content["meta"], "network": {**content["meta"]["network"], **change}}
        assert forge(saved / "large.json", {**content, "meta": meta}, content["arrays"])
        start = time.process_time()
        with pytest.raises(CheckpointError):
            load_solution(saved / "large")
        assert time.process_time() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KiB


@pytest.mark.parametrize("slabs", [1, 2])
def test_forged_trainings_are_refused(tmp_path: Path, slabs: int) -> None:
    """A resumed training compares settings and takes arrays by name and shape."""
    solver = PINN(MLP(width=4, depth=2), steps=4, progress=False, slabs=slabs)
    solver.solve(HEAT, [Checkpoint(tmp_path / "run", steps=2)])
    *older, newest = sorted(tmp_path.glob("run.?.json"))
    content = content_of(newest)
    for file in older:
        file.unlink()
    generator, outcome = random.Random(2), {"refused": 0, "resumed": 0}
    for _ in range(25):
        if not forge(newest, changed(content, generator), content["arrays"]):
            continue
        try:
            solver.solve(HEAT, resume=tmp_path / "run")
            outcome["resumed"] += 1
        except CheckpointError:
            outcome["refused"] += 1
    assert outcome["refused"] > 8, outcome


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_million_forged_inputs(saved: Path, watched: list[str]) -> None:
    check_trees(random.Random(3), 1_000_000)
    outcome = check_manifests(saved, random.Random(4), 1500)
    assert outcome["refused"] > 2000
    assert watched == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_many_forged_tables_and_algebras(saved: Path, watched: list[str]) -> None:
    scores, algebras = check_scores(saved, random.Random(7), 4000), check_algebras(saved, random.Random(8), 4000)
    assert scores["refused"] > 1000, scores
    assert algebras["refused"] > 1000, algebras
    assert {event.split()[0] for event in watched} <= {"os.remove"}


COVERAGE_GUIDED = {"expression": 200_000, "manifest": 3000, "scores": 3000, "study": 5000, "algebra": 3000}


@pytest.mark.slow
@pytest.mark.parametrize("name", COVERAGE_GUIDED)
def test_coverage_guided_inputs(name: str, saved: Path) -> None:
    """Inputs that atheris bends towards branches not yet taken; atheris is there on Linux (extra `fuzz`)."""
    pytest.importorskip("atheris")
    script, root = Path(__file__).with_name("fuzzing.py"), Path(__file__).resolve().parents[2]
    command = [sys.executable, str(script), name, str(COVERAGE_GUIDED[name]), str(saved)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    run = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    assert f"Done {COVERAGE_GUIDED[name]} runs" in run.stderr


def check_scores(folder: Path, generator: random.Random, count: int) -> dict[str, int]:
    """Changed words and changed tables; what is loaded can be read and ranked."""
    content, arrays = read_tables(folder / "scores", KIND)
    shapes: list[Any] = [np.zeros(0), np.zeros((0, 2)), np.zeros(3), np.zeros((2, 3, 1)), np.full((2, 5), np.nan),
                         np.arange(4), np.zeros((2, 10**4), dtype=bool), np.array(1.0)]  # fmt: skip
    outcome = {"refused": 0, "loaded": 0}
    for _ in range(count):
        tables, words = dict(arrays), {k: v for k, v in content.items() if k not in ("schema", "kind", "arrays")}
        if generator.random() < 0.5:
            name = generator.choice(list(tables))
            tables[name] = generator.choice([*shapes, tables[name][:-1], tables[name].T.copy()])
            if generator.random() < 0.2:
                del tables[generator.choice(list(tables))]
        else:
            words = changed(words, generator)
        try:
            write_tables(folder / "forged", KIND, words, tables)
        except (TypeError, ValueError, RecursionError):
            continue
        try:
            scores = Scores.load(folder / "forged")
            assert repr(scores)
            assert len(scores.top(3)) <= 3
            outcome["loaded"] += 1
        except CheckpointError:
            outcome["refused"] += 1
    return outcome


@pytest.mark.filterwarnings("ignore")
def test_forged_scores(saved: Path, watched: list[str]) -> None:
    outcome = check_scores(saved, random.Random(5), 120)
    assert outcome["refused"] > 40, outcome
    assert {event.split()[0] for event in watched} <= {"os.remove"}  # saving removes the arrays before


OUTCOME = Outcome(
    "diffusion", "fixed", "lm", 0, 1.0, 100, 4, 1, 0.5, 0.1, 2.0, 9, 0.0, 1.0, 100, 1.1, 'said "no", ended'
)


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 40))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_study_loses_only_the_damaged_lines(tmp_path: Path, blob: bytes, place: int, gone: int) -> None:
    path = tmp_path / "runs.csv"
    path.unlink(missing_ok=True)
    for seed in range(3):
        append(path, replace(OUTCOME, seed=seed))
    whole = path.read_bytes()
    assert [outcome.seed for outcome in read(path)] == [0, 1, 2]
    path.write_bytes(whole[:place] + blob + whole[place + gone :])
    lines = path.read_bytes().decode(errors="replace").splitlines()
    intact = [seed for seed, line in enumerate(whole.decode().splitlines()[1:]) if line in lines]
    append(path, replace(OUTCOME, seed=7))
    found = read(path)
    assert set(intact) | {7} <= {outcome.seed for outcome in found}
    assert all(isinstance(outcome, Outcome) for outcome in found)
