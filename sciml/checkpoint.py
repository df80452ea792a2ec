"""Checkpoints: one JSON manifest and one safetensors file, written atomically, every byte under a checksum.

The arrays are written first under a name that carries their checksum; the manifest replaces the old one
by a rename. At every moment either the old or the new state can be loaded.
"""

from __future__ import annotations

import glob
import hashlib
import importlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from sciml.arguments import require_path
from sciml.errors import CheckpointError, NotSymbolicError
from sciml.ibvp import IBVP, require_ibvp
from sciml.problem_json import fingerprint, problem_from_json, problem_to_json, stored_fingerprint
from sciml.solution import Solution

SCHEMA = 1
# kind -> module and class; never an import path read from a file
KINDS = {
    "exact": ("sciml.exact", "ExactSolution"),
    "pinn": ("solvers.pinn.solution", "PINNSolution"),
    "marched pinn": ("solvers.pinn.marched", "MarchedSolution"),
    "ensemble": ("solvers.pinn.ensemble", "EnsembleSolution"),
    "finite element": ("solvers.reference.solution", "FiniteElementSolution"),
    "lie": ("solvers.lie.solution", "LieSolution"),
    "mapped lie": ("solvers.lie.mapped_solution", "MappedSolution"),
    "kernel": ("solvers.lie.mapped_solution", "KernelSolution"),
}


def save_solution(solution: Solution, path: str | Path) -> Path:
    """Write a solution.

    Args:
        solution: The solution.
        path: Path without suffix.

    Returns:
        The path of the manifest.

    Raises:
        CheckpointError: If the path has a suffix of ours, its folder is missing, or writing fails.
    """
    problem, arrays = problem_to_json(solution.problem)
    meta, own = solution.state()
    arrays = {**arrays, **{f"solution.{name}": np.array(array, order="C") for name, array in own.items()}}
    content = {"problem": problem, "meta": meta, "status": solution.status, "history": _plain(solution.history)}
    return write_tables(path, solution.kind, content, arrays)


def write_tables(path: str | Path, kind: str, content: dict[str, Any], arrays: dict[str, np.ndarray]) -> Path:
    """Write a manifest and its arrays.

    Args:
        path: Path without suffix.
        kind: What it is.
        content: JSON-able values.
        arrays: Arrays, contiguous.

    Returns:
        The path of the manifest.

    Raises:
        CheckpointError: If the path has a suffix of ours, its folder is missing, or writing fails.
    """
    base = require_path(path, CheckpointError)
    if not base.name or base.suffix in {".json", ".safetensors"} or not base.parent.is_dir():
        raise CheckpointError("a path without suffix in an existing folder", str(path), 'solution.save("results/heat")')
    blob = save_arrays(arrays)
    digest = hashlib.sha256(blob).hexdigest()
    tensors = base.parent / f"{base.name}.{digest[:16]}.safetensors"
    whole = {**content, "schema": SCHEMA, "kind": kind, "arrays": {"file": tensors.name, "sha256": digest}}
    manifest = base.parent / f"{base.name}.json"
    sealed, kept = _seal(whole), tensors.exists()
    try:
        _write(tensors, blob)
        _write(manifest, sealed)
    except OSError as error:
        if not kept:
            tensors.unlink(missing_ok=True)
        raise CheckpointError(
            "a writable folder with room", f"{type(error).__name__}: {error}", "the old state is kept"
        ) from error
    for old in base.parent.glob(f"{glob.escape(base.name)}.{'[0-9a-f]' * 16}.safetensors"):
        if old != tensors:
            old.unlink(missing_ok=True)
    return manifest


def read_tables(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `write_tables` wrote.

    Args:
        path: Path without suffix.
        kind: What it should be.

    Returns:
        The content and the arrays.

    Raises:
        CheckpointError: If a file is missing, damaged or of another kind.
    """
    content, arrays = _open(path)
    if content.get("kind") != kind:
        raise CheckpointError(f"a file of kind {kind!r}", repr(content.get("kind")), "load_solution reads solutions")
    return content, arrays


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (np.floating, np.integer, np.bool_)):
        return value.item()
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def _seal(content: dict[str, Any]) -> bytes:
    body = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return json.dumps(
        {"content": content, "sha256": hashlib.sha256(body.encode()).hexdigest()}, sort_keys=True
    ).encode()


def _write(path: Path, blob: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _open(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    manifest = Path(f"{require_path(path, CheckpointError)}.json")
    if not manifest.is_file():
        raise CheckpointError("a saved solution", f"no file {manifest}", "give the path that was given to save()")
    raw = manifest.read_bytes()
    damaged = f"{manifest} is truncated or was changed"
    try:
        sealed = json.loads(raw)
        content = sealed["content"]
        intact = _seal(content) == raw
    except (ValueError, KeyError, TypeError, RecursionError):
        intact = False
    if not intact:
        raise CheckpointError("an intact manifest", damaged, "load another checkpoint")
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        found = content.get("schema") if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(f"schema {SCHEMA}", str(found), "use the version that wrote the file")
    return content, _arrays(manifest, content)


def _arrays(manifest: Path, content: dict[str, Any]) -> dict[str, np.ndarray]:
    try:
        name, digest = Path(content["arrays"]["file"]).name, content["arrays"]["sha256"]  # never outside the folder
    except (KeyError, TypeError):
        raise CheckpointError("a manifest that names its arrays", str(manifest), "load another checkpoint") from None
    tensors = manifest.parent / name
    blob = tensors.read_bytes() if tensors.is_file() else b""
    if hashlib.sha256(blob).hexdigest() != digest:
        raise CheckpointError(
            "intact arrays", f"{tensors} is missing, truncated or was changed", "load another checkpoint"
        )
    try:
        return load_arrays(blob)
    except SafetensorError as error:
        raise CheckpointError("a safetensors file", str(error), "load another checkpoint") from None


def load_solution(path: str | Path, problem: IBVP | None = None) -> Solution:
    """Read a solution back; values are bitwise those that were saved.

    Args:
        path: The path that was given to `save`, without suffix.
        problem: The problem it should belong to; also supplies Python functions, which files never hold.

    Returns:
        The solution.

    Raises:
        CheckpointError: If a file is missing, damaged, of an unknown kind, or of another problem.
        ProblemError: If `problem` is none.
    """
    if problem is not None:
        require_ibvp(problem)
    content, arrays = _open(path)
    kind_name = content.get("kind")
    if not isinstance(kind_name, str) or kind_name not in KINDS:
        raise CheckpointError(
            f"a solution of kind {', '.join(KINDS)}", repr(kind_name), "use the version that wrote it"
        )
    if problem is None or fingerprint(problem) != stored_fingerprint(content.get("problem", {}), arrays):
        stored = problem_from_json(content.get("problem", {}), arrays)
        if problem is not None:
            raise CheckpointError(
                f"a solution of the problem given:\n{problem}",
                f"a solution of\n{stored}",
                "load it without problem=, or solve anew",
            )
        problem = stored
    module, name = KINDS[kind_name]
    kind: type[Solution] = getattr(importlib.import_module(module), name)
    own = {key.removeprefix("solution."): value for key, value in arrays.items() if key.startswith("solution.")}
    return _rebuilt(kind, problem, content, own)


def _rebuilt(kind: type[Solution], problem: IBVP, content: dict[str, Any], arrays: dict[str, np.ndarray]) -> Solution:
    # an intact file of another version, or a forged one, may hold anything
    try:
        solution = kind.from_state(problem, content["meta"], arrays)
        solution.status, solution.history = str(content["status"]), dict(content["history"])
    except (CheckpointError, NotSymbolicError):
        raise
    except Exception as error:
        given = f"{type(error).__name__}: {error}"
        raise CheckpointError(f"the state of a {kind.kind} solution", given, "use the version that wrote it") from error
    return solution
