"""Readable statements of a problem: text and LaTeX."""

from __future__ import annotations

from typing import Any

import sympy as sp


def summary_text(problem: Any) -> str:
    """The problem as indented text.

    Args:
        problem: The problem.

    Returns:
        Several lines.
    """
    kind = problem.classification
    lines = [f"IBVP{' ' + repr(problem.name) if problem.name else ''}: {_kind(kind)}"]
    for name, equation in zip(problem.equation_names, problem.equations, strict=True):
        lines.append(f"  {name}: {equation} = 0")
    lines.append(
        f"  domain: {problem.domain!r}"
        + (f", {problem.time[1]} <= {problem.time[0]} <= {problem.time[2]}" if problem.time else "")
    )
    for term in problem.terms:
        if term.kind == "observation":
            lines.append(f"  {term.name}: {len(term.condition.values)} values")
        elif term.periodic:
            lines += [
                f"  {name}: {expression} agrees on {' and '.join(term.faces)}"
                for name, expression in zip(term.components, term.expressions, strict=True)
            ]
        elif term.kind != "interior":
            lines += [
                f"  {name}: {expression} = 0"
                for name, expression in zip(term.components, term.expressions, strict=True)
            ]
    if problem.parameters:
        lines.append("  parameters: " + ", ".join(f"{s} = {v}" for s, v in problem.parameters.items()))
    if problem.unknowns:
        lines.append("  unknown: " + ", ".join(f"{s} (start {u.start})" for s, u in problem.unknowns.items()))
    lines += [f"  note: {note}" for note in problem.notes]
    return "\n".join(lines)


def _kind(kind: Any) -> str:
    words = ["linear" if kind.linear else "nonlinear"]
    if kind.linear:
        words.append("homogeneous" if kind.homogeneous else "inhomogeneous")
    return f"{', '.join(words)}, order {kind.order}, {kind.type}"


def summary_latex(problem: Any) -> str:
    """The problem as a LaTeX array.

    Args:
        problem: The problem.

    Returns:
        LaTeX between dollar signs.
    """
    rows = [f"{sp.latex(equation)} &= 0" for equation in problem.equations]
    for term in problem.terms:
        if term.periodic:
            first, second = term.faces
            rows += [
                rf"\left. {sp.latex(expression)} \right|_{{\text{{{first}}}}} &= "
                rf"\left. {sp.latex(expression)} \right|_{{\text{{{second}}}}}"
                for expression in term.expressions
            ]
        elif term.kind in ("initial", "boundary", "point"):
            where = {
                "initial": "t_0" if problem.time is None else f"{sp.latex(problem.time[0])}={sp.latex(problem.time[1])}"
            }
            place = where.get(term.kind, ", ".join(term.faces))
            place = place if term.kind == "initial" else rf"\text{{{place}}}"
            rows += [rf"{sp.latex(expression)} &= 0 \quad ({place})" for expression in term.expressions]
    body = r" \\ ".join(rows)
    return rf"$\begin{{aligned}} {body} \end{{aligned}}$"
