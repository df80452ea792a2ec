"""Citations: what to cite for a solution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sciml.solution import Solution, require_solution


@dataclass(frozen=True)
class Reference:
    """A publication.

    Attributes:
        key: Key of its BibTeX entry.
        authors: Authors, joined by " and ".
        year: Year.
        title: Title.
        where: Journal, book or preprint number.
        link: DOI or arXiv id.
        reason: What it stands for in the solution.
    """

    key: str
    authors: str
    year: int
    title: str
    where: str
    link: str
    reason: str

    def __str__(self) -> str:
        """One line of a list of references."""
        people = self.authors.split(" and ")
        names = f"{people[0]} et al." if len(people) > 3 else ", ".join(people)
        return f"{names} ({self.year}). {self.title}. {self.where}. {self.link}  [{self.reason}]"

    def bibtex(self) -> str:
        """The BibTeX entry."""
        kind = "book" if "Springer" in self.where else "article"
        field = "publisher" if kind == "book" else "journal"
        link = ("eprint", self.link.removeprefix("arXiv:")) if self.link.startswith("arXiv") else ("doi", self.link)
        parts = {"author": self.authors, "title": f"{{{self.title}}}", field: self.where, "year": str(self.year)}
        parts |= {link[0]: link[1]} if self.link else {}
        return f"@{kind}{{{self.key},\n" + ",\n".join(f"  {name} = {{{text}}}" for name, text in parts.items()) + "\n}"


_KNOWN = {
    reference.key: reference
    for reference in (
        Reference("raissi2019", "M. Raissi and P. Perdikaris and G. E. Karniadakis", 2019,
                  "Physics-informed neural networks: A deep learning framework for solving forward and inverse "
                  "problems involving nonlinear partial differential equations",
                  "Journal of Computational Physics 378, 686-707",
                  "10.1016/j.jcp.2018.10.045", "physics-informed neural networks"),
        Reference("lagaris1998", "I. E. Lagaris and A. Likas and D. I. Fotiadis", 1998,
                  "Artificial neural networks for solving ordinary and partial differential equations",
                  "IEEE Transactions on Neural Networks 9(5), 987-1000", "10.1109/72.712178",
                  "met exactly by construction"),
        Reference("marquardt1963", "D. W. Marquardt", 1963,
                  "An algorithm for least-squares estimation of nonlinear parameters",
                  "Journal of the Society for Industrial and Applied Mathematics 11(2), 431-441", "10.1137/0111030",
                  "damped Gauss-Newton steps"),
        Reference("transtrum2012", "M. K. Transtrum and J. P. Sethna", 2012,
                  "Improvements to the Levenberg-Marquardt algorithm for nonlinear least-squares minimization",
                  "arXiv preprint", "arXiv:1201.5885", "geodesic acceleration"),
        Reference("wu2023", "C. Wu and M. Zhu and Q. Tan and Y. Kartha and L. Lu", 2023,
                  "A comprehensive study of non-adaptive and residual-based adaptive sampling for physics-informed "
                  "neural networks", "Computer Methods in Applied Mechanics and Engineering 403, 115671",
                  "10.1016/j.cma.2022.115671", "residual-based points"),
        Reference("gustafsson2020", "T. Gustafsson and G. D. McBain", 2020,
                  "scikit-fem: A Python package for finite element assembly",
                  "Journal of Open Source Software 5(52), 2369", "10.21105/joss.02369", "finite elements"),
        Reference("olver1993", "P. J. Olver", 1993, "Applications of Lie Groups to Differential Equations",
                  "Springer, second edition", "10.1007/978-1-4612-4350-2", "symmetries"),
        Reference("klausen2025", "Klausen and others", 2025,
                  "LieSolver: PDE-constrained learning for IBVPs via Lie symmetries", "arXiv preprint",
                  "arXiv:2510.25731", "sums of solutions made by symmetries"),
        Reference("golub1973", "G. H. Golub and V. Pereyra", 1973,
                  "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables "
                  "separate",
                  "SIAM Journal on Numerical Analysis 10(2), 413-432", "10.1137/0710036", "variable projection"),
        Reference("meurer2017", "A. Meurer and C. P. Smith and M. Paprocki and others", 2017,
                  "SymPy: symbolic computing in Python", "PeerJ Computer Science 3, e103", "10.7717/peerj-cs.103",
                  "problem language"),
        Reference("paszke2019", "A. Paszke and S. Gross and F. Massa and others", 2019,
                  "PyTorch: An imperative style, high-performance deep learning library",
                  "Advances in Neural Information Processing Systems 32", "arXiv:1912.01703", "tensors"),
    )
}  # fmt: skip
_BY_KIND = {
    "pinn": ("raissi2019", "marquardt1963", "transtrum2012", "wu2023", "meurer2017", "paszke2019"),
    "marched pinn": ("raissi2019", "marquardt1963", "transtrum2012", "wu2023", "meurer2017", "paszke2019"),
    "finite element": ("gustafsson2020", "meurer2017"),
    "lie": ("klausen2025", "olver1993", "golub1973", "meurer2017"),
    "exact": ("meurer2017",),
}


@dataclass(frozen=True)
class Citations(Sequence[Reference]):
    """References in the order of their weight; printed as a list."""

    references: tuple[Reference, ...]

    def __getitem__(self, index: Any) -> Any:
        """The reference with that number."""
        return self.references[index]

    def __len__(self) -> int:
        """How many."""
        return len(self.references)

    def __iter__(self) -> Iterator[Reference]:
        """One after the other."""
        return iter(self.references)

    def __str__(self) -> str:
        """One line each."""
        return "\n".join(map(str, self.references))

    __repr__ = __str__

    def bibtex(self) -> str:
        """All entries, ready for a `.bib` file."""
        return "\n\n".join(reference.bibtex() for reference in self.references)


def cite(solution: Solution) -> Citations:
    """What to cite for a solution: the methods that made it and the libraries that they stand on.

    Args:
        solution: A solution of any solver.

    Returns:
        The references.

    Raises:
        SolverError: If it is no solution.

    Example:
        >>> from sciml import IBVP, Dirichlet, ExactSolution, Interval, coordinates, field
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(u.diff(x, 2), Interval(x, 0, 1), boundary=[Dirichlet(u, x)])
        >>> print(cite(ExactSolution(problem, x)))
        A. Meurer et al. (2017). SymPy: symbolic computing in Python. PeerJ Computer Science 3, e103. \
10.7717/peerj-cs.103  [problem language]
    """
    require_solution(solution, "sciml.cite(PINN(...).solve(problem))")
    keys = list(_BY_KIND.get(solution.kind, ("meurer2017",)))
    found = [_KNOWN[key] for key in keys]
    constraint: Any = None if solution.record is None else solution.record.constraint
    if constraint is not None:
        exact = [term.name for term in solution.problem.terms if term.name in constraint.satisfied]
        lagaris = _KNOWN["lagaris1998"]
        found.insert(1, replace(lagaris, reason=f"{', '.join(exact)}: {lagaris.reason}"))
    return Citations(tuple(found))
