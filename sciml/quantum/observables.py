"""Observables: real linear combinations of Pauli strings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np

from sciml.errors import ProblemError
from sciml.quantum.gates import is_real

_FACTOR = re.compile(r"([IXYZ])(\d+)")


def parse_string(text: str) -> tuple[tuple[str, int], ...]:
    """Letters and qubits of a Pauli string such as "Z0 X2", sorted by qubit; "" is the identity.

    Args:
        text: The string.

    Returns:
        Pairs of letter and qubit, without identities.

    Raises:
        ProblemError: If it can't be read or names a qubit twice.
    """
    found = {}
    for piece in text.split():
        match = _FACTOR.fullmatch(piece)
        if match is None or int(match[2]) in found:
            raise ProblemError('a Pauli string such as "Z0 X2", each qubit once', repr(text), 'the identity is ""')
        found[int(match[2])] = match[1]
    return tuple((letter, qubit) for qubit, letter in sorted(found.items()) if letter != "I")


class PauliSum:
    """M = Σ_P c_P P with real coefficients; immutable.

    Args:
        terms: Pauli string -> coefficient; "" is the identity. Equal strings in another order are added.

    Raises:
        ProblemError: If a string or a coefficient is not understood.

    Example:
        >>> observable = PauliSum({"Z1 Z0": 1.0, "": 0.25})
        >>> observable.to_dict(), observable.identity, observable.norm
        ({'Z0 Z1': 1.0, '': 0.25}, 0.25, 1.0)
    """

    __slots__ = ("_terms",)
    _terms: dict[tuple[tuple[str, int], ...], float]

    def __init__(self, terms: Mapping[str, float]) -> None:
        collected: dict[tuple[tuple[str, int], ...], float] = {}
        if not isinstance(terms, Mapping) or not all(isinstance(text, str) for text in terms):
            raise ProblemError("a dictionary {Pauli string: coefficient}", repr(terms), 'PauliSum({"Z0": 1.0})')
        for text, value in terms.items():
            if not is_real(value):
                raise ProblemError("real, finite coefficients", f"{text!r}: {value!r}", "an observable is Hermitian")
            string = parse_string(text)
            collected[string] = collected.get(string, 0.0) + float(value)
        if not collected:
            raise ProblemError("at least one Pauli string", repr(terms), 'PauliSum({"Z0": 1.0})')
        object.__setattr__(self, "_terms", collected)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse."""
        raise AttributeError("a PauliSum can't be changed")

    def __eq__(self, other: object) -> bool:
        """Equal terms and coefficients."""
        return isinstance(other, PauliSum) and self._terms == other._terms

    def __hash__(self) -> int:
        """Of the terms."""
        return hash(frozenset(self._terms.items()))

    def __repr__(self) -> str:
        """As typed."""
        return f"PauliSum({self.to_dict()!r})"

    def __reduce__(self) -> tuple:
        """Rebuild from the dictionary."""
        return PauliSum, (self.to_dict(),)

    def __iter__(self) -> Iterator[tuple[tuple[tuple[str, int], ...], float]]:
        """Pairs of string, as letters with qubits, and coefficient."""
        return iter(self._terms.items())

    def to_dict(self) -> dict[str, float]:
        """Pauli string -> coefficient."""
        return {" ".join(f"{letter}{qubit}" for letter, qubit in string): c for string, c in self}

    @property
    def qubits(self) -> tuple[int, ...]:
        """Qubits that occur, sorted."""
        return tuple(sorted({qubit for string, c in self if c for _, qubit in string}))

    @property
    def largest_qubit(self) -> int:
        """The largest qubit number named, -1 for the identity alone."""
        return max((qubit for string, _ in self for _, qubit in string), default=-1)

    @property
    def identity(self) -> float:
        """Coefficient of the identity."""
        return self._terms.get((), 0.0)

    @property
    def norm(self) -> float:
        """‖c‖₁ without the identity."""
        return sum(abs(c) for string, c in self if string)

    def grouped(self, qubits: int) -> dict[int, np.ndarray]:
        """M as a sum over bit flips f: (Mψ)_i = Σ_f p_f,i ψ_{i xor f}.

        Args:
            qubits: Number of qubits.

        Returns:
            Bit mask of the flips -> complex vector (2^n,).
        """
        index = np.arange(2**qubits)
        groups: dict[int, np.ndarray] = {}
        for string, coefficient in self:
            flip, phase = 0, np.full(2**qubits, coefficient, dtype=complex)
            for letter, qubit in string:
                place = qubits - 1 - qubit
                sign = 1 - 2 * ((index >> place) & 1)
                if letter in "XY":
                    flip |= 1 << place
                if letter == "Z":
                    phase = phase * sign
                elif letter == "Y":
                    phase = phase * (-1j * sign)  # <i|Y|1-i> is -i for i = 0 and +i for i = 1
            groups[flip] = groups.get(flip, 0) + phase
        return groups
