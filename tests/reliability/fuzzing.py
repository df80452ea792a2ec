"""Coverage-guided fuzzing of every loader by atheris: `python tests/reliability/fuzzing.py expression 100000 folder`.

The folder holds saved files to start from. The end is status 0 where each input gave a value or a CheckpointError, and
no code was run. Loaders are imported inside of functions, as atheris has to watch over their import.
"""

from __future__ import annotations

import contextlib
import copy
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = ["constant", "number", "float", "symbol", "derivative", "piecewise", "field", "numeric", "apply", "eval", "Pow",
         "Add", "Mul", "exp", "floor", "factorial", "Max", "Heaviside", "__import__", "Mod", "x", "u", "pi", "-1",
         "0x1p9", "os.system", "1/3", "kind", "9999999999999999999999"]  # fmt: skip
FORBIDDEN = ("os.system", "subprocess.Popen", "socket.connect", "exec", "shutil.rmtree")


def value(data: Any, depth: int = 4) -> Any:
    """JSON from the bytes of the fuzzer."""
    kind = data.ConsumeIntInRange(0, 9 if depth else 5)
    if kind <= 1:
        return data.PickValueInList(NAMES)
    if kind == 2:
        return data.ConsumeInt(8)
    if kind == 3:
        return data.ConsumeFloat()
    if kind == 4:
        return data.PickValueInList([None, True, False, {}, [], "", 10**30])
    if kind == 5:
        return data.ConsumeUnicodeNoSurrogates(6)
    count = data.ConsumeIntInRange(0, 4)
    if kind == 6:
        return {data.PickValueInList(NAMES): value(data, depth - 1) for _ in range(count)}
    inner = [value(data, depth - 1) for _ in range(count)]
    return inner if kind == 7 else [data.PickValueInList(NAMES), *inner]


def places(content: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) inside."""
    keys = list(content) if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else []
    return [place for key in keys for place in [(content, key), *places(content[key])]]


def changed(content: Any, data: Any) -> Any:
    """A copy in which some entries are replaced, removed or doubled."""
    content = copy.deepcopy(content)
    for _ in range(data.ConsumeIntInRange(1, 3)):
        every = places(content)
        if not every:
            break
        container, key = every[data.ConsumeIntInRange(0, len(every) - 1)]
        action = data.ConsumeIntInRange(0, 2)
        if action == 0:
            container[key] = value(data)
        elif action == 1:
            container.pop(key)
        else:
            container[key] = [container[key]] * 2
    return content


def expression(folder: Path) -> Callable[[Any], None]:
    """Trees of an expression."""
    from sciml.expression_json import from_json

    def one(data: Any) -> None:
        from_json([data.PickValueInList(NAMES[:12]), *(value(data) for _ in range(data.ConsumeIntInRange(0, 4)))])

    return one


def manifest(folder: Path) -> Callable[[Any], None]:
    """Raw bytes, or a solution's manifest with other entries under a right checksum."""
    from influence.scores import KIND
    from sciml import load_solution
    from sciml.checkpoint import _seal

    saved = [json.loads(path.read_bytes())["content"] for path in sorted(folder.glob("*.json"))]
    whole = [content for content in saved if content["kind"] != KIND]
    for path in folder.glob("*.json"):
        if json.loads(path.read_bytes())["content"]["kind"] != KIND:
            load_solution(path.with_suffix(""))  # their modules are imported before anybody watches

    def one(data: Any) -> None:
        raw = data.ConsumeIntInRange(0, 9) == 0
        (folder / "forged.json").write_bytes(data.ConsumeBytes(200) if raw else sealed(data))
        load_solution(folder / "forged")

    def sealed(data: Any) -> bytes:
        content = whole[data.ConsumeIntInRange(0, len(whole) - 1)]
        return _seal({**changed(content, data), "schema": 1, "arrays": content["arrays"]})

    return one


def scores(folder: Path) -> Callable[[Any], None]:
    """Words and tables of influence scores."""
    from influence.scores import KIND, Scores
    from sciml.checkpoint import read_tables, write_tables

    content, arrays = read_tables(folder / "scores", KIND)
    words = {name: part for name, part in content.items() if name not in ("schema", "kind", "arrays")}

    def one(data: Any) -> None:
        tables = dict(arrays)
        name = data.PickValueInList(sorted(tables))
        size = data.ConsumeIntInRange(0, len(tables[name]))
        tables[name] = tables[name][:size].copy()
        write_tables(folder / "forged-scores", KIND, changed(words, data), tables)
        loaded = Scores.load(folder / "forged-scores")
        assert len(loaded.top(2)) <= 2

    return one


def study(folder: Path) -> Callable[[Any], None]:
    """Bytes in the file of a study."""
    from benchmarks.resampling.store import Outcome, append, read

    path = folder / "runs.csv"
    run = Outcome("a", "fixed", "lm", 0, 1.0, 9, 4, 1, 0.5, 0.1, 2.0, 9, 0.0, 1.0, 9, 1.1, "all steps done")

    def one(data: Any) -> None:
        path.write_bytes(data.ConsumeBytes(300))
        append(path, run)
        assert run in read(path)

    return one


def algebra(folder: Path) -> Callable[[Any], None]:
    """The JSON of a symmetry algebra."""
    from solvers.symmetry.algebra import algebra_from_json

    content = json.loads((folder / "algebra.txt").read_text())

    def one(data: Any) -> None:
        raw = data.ConsumeIntInRange(0, 9) == 0
        algebra_from_json(data.ConsumeUnicode(100) if raw else json.dumps(changed(content, data)))

    return one


TARGETS = {function.__name__: function for function in (expression, manifest, scores, study, algebra)}


def watch() -> tuple[list[str], list[bool]]:
    """What was done that no file may do, and whether to look."""
    events, active = list[str](), [False]

    def hook(event: str, arguments: tuple) -> None:
        if active[0] and event in FORBIDDEN:  # before the frame is asked for, which is an event itself
            caller = sys._getframe(1).f_code.co_filename
            if not any(word in caller for word in ("torch", "sympy", "importlib", "<")):
                events.append(f"{event} in {caller}")

    sys.addaudithook(hook)
    return events, active


def main(name: str, runs: int, folder: Path) -> None:
    import atheris  # type: ignore[import-not-found]

    with atheris.instrument_imports(include=["sciml", "influence.scores", "benchmarks.resampling", "solvers.symmetry"]):
        one = TARGETS[name](folder)
        from sciml import CheckpointError
    events, active = watch()

    def look(raw: bytes) -> None:
        data = atheris.FuzzedDataProvider(raw)
        active[0] = True
        with contextlib.suppress(CheckpointError):
            one(data)
        active[0] = False
        if events:
            raise SystemError(f"code was run: {events}")

    warnings.simplefilter("ignore")
    atheris.Setup(
        [
            sys.argv[0],
            f"-runs={runs}",
            "-seed=1",
            "-max_len=400",
            "-len_control=0",
            f"-artifact_prefix={folder}/",
            "-rss_limit_mb=4096",
            "-timeout=60",
        ],
        look,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
