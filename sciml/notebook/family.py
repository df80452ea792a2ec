"""Family explorer: a function with parameters, moved by sliders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import sympy as sp
from sympy.printing.jscode import JavascriptCodePrinter

from sciml.errors import NotSymbolicError, SolverError, UnsupportedFunctionError
from sciml.notebook.encoding import colour_tables
from sciml.notebook.page import source
from sciml.notebook.picture import Picture, traitlets
from sciml.plotting.fields import FIELD_COLOURS
from sciml.plotting.figure import Figure

Range = tuple[float, float] | tuple[float, float, float]


class FamilyExplorer(Picture):
    """A function of one or two coordinates with a slider for each of its parameters.

    The page computes the values itself, so it works without a kernel. With ε of `generator.transform(f, eps)`
    as parameter the sliders move a solution along the flow of a symmetry.

    Args:
        expression: The function.
        coordinates: {coordinate: (low, high)}, one or two; the first is horizontal.
        parameters: {symbol: (low, high) or (low, high, start)}; the start is 0 where it lies inside, else the middle.
        labels: Texts beside the sliders; the names of the symbols when omitted.
        target: What the values are.
        title: Title of the picture.

    Attributes:
        values: Values of the parameters, in their order.

    Raises:
        NotSymbolicError: If it is no expression, or has other symbols.
        UnsupportedFunctionError: If it has a function that a page cannot compute.
        SolverError: If there is not one or two coordinates, no parameter, or a range is not finite and increasing.

    Example:
        >>> x, t, eps = sp.symbols("x t epsilon", real=True)
        >>> move = FamilyExplorer(sp.exp(-(x - eps) ** 2), {x: (-3, 3)}, {eps: (-1, 1)})
        >>> move.state["code"]
        'Math.exp(-Math.pow(a0 - a1, 2))'
    """

    _esm = source("draw.js", "family.js")
    title: ClassVar[str] = "family of functions"
    exported: ClassVar[tuple[str, ...]] = ("state", "values")
    values = traitlets.List(traitlets.Float()).tag(sync=True)

    def __init__(
        self,
        expression: sp.Expr,
        coordinates: Mapping[sp.Symbol, tuple[float, float]],
        parameters: Mapping[sp.Symbol, Range],
        *,
        labels: Sequence[str] | None = None,
        target: str = "u",
        title: str = "family of solutions",
    ) -> None:
        try:
            expression = sp.sympify(expression)
        except sp.SympifyError as error:
            raise NotSymbolicError(
                "a SymPy expression", type(expression).__name__, "for instance solution.expr"
            ) from error
        if not isinstance(coordinates, Mapping) or not isinstance(parameters, Mapping):
            raise SolverError("ranges of coordinates and parameters", f"{coordinates}, {parameters}",
                              "FamilyExplorer(expression, {x: (0, 1)}, {eps: (-1, 1)})")  # fmt: skip
        if len(coordinates) not in {1, 2} or not parameters:
            raise SolverError("one or two coordinates and at least one parameter",
                              f"{len(coordinates)} coordinates, {len(parameters)} parameters", "")  # fmt: skip
        ranges = [_range(symbol, limits) for symbol, limits in parameters.items()]
        for symbol, limits in coordinates.items():
            _range(symbol, limits)
        texts = list(labels) if labels is not None else [symbol.name for symbol in parameters]
        arguments = [*coordinates, *parameters]
        code, names = javascript(expression, arguments)
        state = {
            "title": title, "target": target, "axes": [symbol.name for symbol in coordinates], "note": str(expression),
            "limits": [[float(low), float(high)] for low, high in coordinates.values()], "shape": [121, 81],
            "arguments": names, "code": code, "tables": colour_tables(),
            "parameters": [
                {"name": symbol.name, "label": text, "low": low, "high": high, "start": start}
                for symbol, text, (low, high, start) in zip(parameters, texts, ranges, strict=True)
            ],
        }  # fmt: skip
        start = [start for _, _, start in ranges]
        self.parameters = tuple(parameters)
        super().__init__(lambda: self._drawn(expression, list(coordinates)), state=state, values=start)

    def _drawn(self, expression: sp.Expr, coordinates: list[sp.Symbol]) -> Figure:
        figure = Figure(figsize=(5.4, 3.8), layout="constrained")
        axis = figure.subplots()
        values = dict(zip(self.parameters, self.values, strict=True))
        grid = np.meshgrid(*[np.linspace(low, high, 121) for low, high in self.state["limits"]], indexing="ij")
        function = sp.lambdify(coordinates, expression.subs(values), "numpy")
        with np.errstate(all="ignore"):
            drawn = np.broadcast_to(np.asarray(function(*grid), dtype=float), grid[0].shape)
        drawn = np.where(np.isfinite(drawn), drawn, np.nan)
        axis.set_xlabel(self.state["axes"][0])
        if len(grid) == 1:
            axis.plot(grid[0], drawn)
            axis.set_ylabel(self.state["target"])
        else:
            low, high = _limits(drawn)
            style: dict[str, Any] = {"cmap": FIELD_COLOURS, "vmin": low, "vmax": high}
            picture = axis.pcolormesh(*grid, drawn, shading="gouraud", rasterized=True, **style)
            figure.colorbar(picture, ax=axis, label=self.state["target"])
            axis.set_ylabel(self.state["axes"][1])
        axis.set_title(", ".join(f"{symbol} = {value:.3g}" for symbol, value in values.items()), fontsize="medium")
        return figure


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Ends of the colours: all values, unless poles would flatten everything else."""
    low, most_low, most_high, high = np.nanquantile(values, [0.0, 0.01, 0.99, 1.0])
    return (low, high) if high - low < 10 * (most_high - most_low) else (most_low, most_high)


def javascript(expression: sp.Expr, arguments: Sequence[sp.Symbol]) -> tuple[str, list[str]]:
    """An expression as JavaScript.

    Args:
        expression: The expression.
        arguments: Its symbols, in the order of the function's arguments.

    Returns:
        The code and the names of the arguments.

    Raises:
        NotSymbolicError: If the expression has other symbols.
        UnsupportedFunctionError: If a function has no counterpart.
    """
    foreign = expression.free_symbols - set(arguments)
    if foreign:
        raise NotSymbolicError(
            f"an expression of {', '.join(map(str, arguments))}", f"also {foreign}", "give them values"
        )
    plain = [sp.Symbol(f"a{k}", real=True) for k in range(len(arguments))]
    printer = JavascriptCodePrinter({"allow_unknown_functions": False})
    flat = expression.doit().xreplace(dict(zip(arguments, plain, strict=True)))
    known = {*printer.known_functions, "Piecewise"}
    unknown = [str(call.func) for call in flat.atoms(sp.Function) if type(call).__name__ not in known]
    unknown += [type(part).__name__ for part in flat.atoms(sp.Integral, sp.Derivative, sp.Subs)]
    if unknown:
        raise UnsupportedFunctionError("functions that a page can compute", ", ".join(sorted(set(unknown))),
                                       "draw it with matplotlib, or in closed elementary form")  # fmt: skip
    return printer.doprint(flat), [symbol.name for symbol in plain]


def _range(symbol: sp.Symbol, limits: Range) -> tuple[float, float, float]:
    low, high = float(limits[0]), float(limits[1])
    start = float(limits[2]) if len(limits) == 3 else 0.0 if low <= 0.0 <= high else 0.5 * (low + high)
    if not low < high or not low <= start <= high or not np.isfinite([low, high]).all():
        raise SolverError(
            f"a finite, increasing range for {symbol} with its start inside", str(tuple(limits)), "(low, high)"
        )
    return low, high, start
