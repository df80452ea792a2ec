"""Direction of imports: read from the source of every file, without importing it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("sciml", "solvers", "influence")
FORBIDDEN = {"sciml": {"solvers", "influence"}, "solvers": {"influence"}, "influence": {"solvers"}}
# file -> modules of this distribution that it may import inside a function, because the other way round is the rule
INSIDE_FUNCTIONS = {
    "sciml.solution": {"sciml.plotting", "sciml.checkpoint", "sciml.verification"},
    "influence.scores": {"sciml.notebook.linked"},  # the extra `notebook`
    "influence.quantum.attribution": {"sciml.notebook.circuit_view"},  # the same
}


def modules(root: Path = ROOT) -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(node: ast.stmt, module: str, known: dict[str, Path]) -> set[str]:
    """Modules of this distribution that an import statement names."""
    if isinstance(node, ast.Import):
        names = {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
        if node.level:
            package = module if known[module].name == "__init__.py" else module.rpartition(".")[0]
            for _ in range(node.level - 1):
                package = package.rpartition(".")[0]
            base = f"{package}.{node.module}" if node.module else package
        else:
            base = node.module or ""
        names = {f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names}
    else:
        return set()
    return {name for name in names if name.split(".")[0] in PACKAGES}


def split_imports(module: str, known: dict[str, Path]) -> tuple[set[str], set[str]]:
    """Imports at module level and inside functions; those for type checkers only are left out."""
    top: set[str] = set()
    inner: set[str] = set()

    def visit(node: ast.AST, inside: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            (inner if inside else top).update(imported(node, module, known))
        inside = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse(known[module].read_text()), False)
    return top, inner


KNOWN = modules()
IMPORTS = {module: split_imports(module, KNOWN) for module in KNOWN}


def wrong_direction(imports: dict[str, tuple[set[str], set[str]]]) -> list[str]:
    return [
        f"{module} imports {name}"
        for module, (top, inner) in imports.items()
        for name in sorted(top | inner)
        if name.split(".")[0] in FORBIDDEN[module.split(".")[0]]
    ]


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """One cycle of a directed graph, or an empty list."""
    state: dict[str, int] = {}

    def search(node: str, path: list[str]) -> list[str]:
        state[node] = 1
        for other in sorted(graph.get(node, ())):
            if state.get(other) == 1:
                return [*path[path.index(other) :], other] if other in path else [node, other]
            if other not in state and (found := search(other, [*path, other])):
                return found
        state[node] = 2
        return []

    for start in sorted(graph):
        if start not in state and (found := search(start, [start])):
            return found
    return []


def test_packages_import_in_one_direction() -> None:
    assert wrong_direction(IMPORTS) == []


def test_no_cycles_between_files() -> None:
    graph = {module: {name for name in top if name in KNOWN and name != module} for module, (top, _) in IMPORTS.items()}
    assert find_cycle(graph) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_inside_functions_are_listed(package: str) -> None:
    hidden = {module: inner - INSIDE_FUNCTIONS.get(module, set())
              for module, (_, inner) in IMPORTS.items() if module.split(".")[0] == package}  # fmt: skip
    assert {module: names for module, names in hidden.items() if names} == {}


def test_the_table_of_checkpoints_is_the_only_import_by_name() -> None:
    users = [module for module, path in KNOWN.items() if "importlib" in path.read_text()]
    dynamic = [module for module in users if "import_module(" in KNOWN[module].read_text()]
    assert [module for module in dynamic if module.split(".")[0] == "sciml"] == ["sciml.checkpoint"]


def test_no_pickle_eval_or_exec() -> None:
    for module, path in KNOWN.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, f"{module}:{node.lineno}"
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                pickling = {"pickle", "dill", "cloudpickle"} & {name.split(".")[0] for name in names}
                # orders among the processes of one job, as torch.distributed sends its objects; never files
                assert not pickling or module in {"sciml.distributed.crew", "sciml.executors"}, module


def test_the_checks_can_fail() -> None:
    assert wrong_direction({"sciml.a": ({"solvers.b"}, set()), "solvers.b": (set(), {"influence.c"})}) == [
        "sciml.a imports solvers.b",
        "solvers.b imports influence.c",
    ]
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()}) == ["a", "b", "c", "a"]
    assert find_cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
