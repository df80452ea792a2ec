"""QuantumNetwork: a parametrised circuit as a torch module from points to values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sciml.errors import SolverError
from sciml.quantum.circuit import Circuit
from sciml.quantum.memory import require_memory
from sciml.quantum.observables import PauliSum
from sciml.quantum.simulator import Program, compiled

READOUTS = (None, "affine")


class QuantumNetwork(nn.Module):
    """f_k(x) = <M_k>, or a_k <M_k> + b_k with trainable a, b; differentiable to any order in x and angles.

    Args:
        circuit: The circuit.
        readout: None or "affine".
        parameters: Angles by number; by default uniform in [0, 2π) from the seed.
        seed: Seed of the angles.
        dtype: torch.float64 or torch.float32.

    Raises:
        SolverError: If an argument does not fit.

    Example:
        >>> from sciml.quantum import reuploading
        >>> network = QuantumNetwork(reuploading(2, layers=2), readout="affine", seed=0)
        >>> network(torch.zeros(5, 2, dtype=torch.float64)).shape
        torch.Size([5, 1])
    """

    columns: Tensor
    scales: Tensor
    offsets: Tensor

    def __init__(
        self,
        circuit: Circuit,
        readout: str | None = None,
        parameters: Sequence[float] | Tensor | None = None,
        seed: int = 0,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        if not isinstance(circuit, Circuit):
            raise SolverError("a Circuit", type(circuit).__name__, "QuantumNetwork(reuploading(4, layers=3))")
        if readout not in READOUTS:
            raise SolverError('readout None or "affine"', repr(readout), "")
        if dtype not in {torch.float64, torch.float32}:
            raise SolverError("dtype torch.float64 or torch.float32", str(dtype), "")
        self.circuit, self.readout, self.dtype = circuit, readout, dtype
        self.angles = nn.Parameter(_angles(circuit, parameters, seed).to(dtype))
        if readout == "affine":
            self.gain = nn.Parameter(torch.ones(circuit.outputs, dtype=dtype))
            self.shift = nn.Parameter(torch.zeros(circuit.outputs, dtype=dtype))
        gates = circuit.encoding_gates
        # columns of x, then of arccos x for the features that some gate reads so
        self._curved = sorted({g.feature for g in gates if g.transform == "arccos"})
        place = {feature: circuit.features + k for k, feature in enumerate(self._curved)}
        columns = [place[g.feature] if g.transform == "arccos" else g.feature for g in gates]
        self.register_buffer("columns", torch.tensor(columns, dtype=torch.long), persistent=False)
        self.register_buffer("scales", torch.tensor([g.scale for g in gates], dtype=dtype), persistent=False)
        self.register_buffer("offsets", torch.tensor([g.offset for g in gates], dtype=dtype), persistent=False)

    @property
    def program(self) -> Program:
        """The compiled circuit, without gates outside the light cone."""
        return compiled(self.circuit, self.dtype)

    def encoding_angles(self, x: Tensor) -> Tensor:
        """Angles of the encoding gates in time order.

        Args:
            x: (batch, features).

        Returns:
            (batch, K).

        Raises:
            SolverError: If the shape is wrong, a value not finite, or outside [-1, 1] before arccos.
        """
        if x.ndim != 2 or x.shape[1] != self.circuit.features:
            raise SolverError(f"points with {self.circuit.features} columns", f"shape {tuple(x.shape)}", "")
        if x.is_complex():
            raise SolverError("real features", str(x.dtype), "x.real")
        _check_values(x, self._curved)
        x = x.to(self.dtype)
        if self._curved:
            x = torch.cat([x, torch.arccos(x[:, self._curved])], dim=1)
        return x[:, self.columns] * self.scales + self.offsets

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate at points.

        Args:
            x: (batch, features).

        Returns:
            (batch, outputs).
        """
        angles = self.encoding_angles(x)
        if not len(angles):
            return self.read(x.new_zeros(0, self.circuit.outputs, dtype=self.dtype))
        program = self.program
        graph = torch.is_grad_enabled() and (self.angles.requires_grad or x.requires_grad)
        require_memory(
            program.memory(len(angles), graph), f"{len(angles)} states of {self.circuit.qubits} qubits",
            "evaluate fewer points at once, use fewer qubits, or torch.no_grad() where no gradient is needed",
        )  # fmt: skip
        return self.read(program.expectations(angles, self.angles))

    def read(self, expectations: Tensor) -> Tensor:
        """Apply the readout.

        Args:
            expectations: (batch, outputs).

        Returns:
            (batch, outputs).
        """
        return expectations * self.gain + self.shift if self.readout == "affine" else expectations

    def observable(self, output: int = 0) -> PauliSum:
        """The observable whose expectation is one output, readout included.

        Args:
            output: Number of the output.

        Returns:
            a M + b.

        Raises:
            SolverError: If there is no such output.
        """
        if not 0 <= output < self.circuit.outputs:
            raise SolverError(f"an output 0 ... {self.circuit.outputs - 1}", str(output), "")
        terms = self.circuit.observables[output].to_dict()
        if self.readout is None:
            return PauliSum(terms)
        gain, shift = self.gain[output].item(), self.shift[output].item()
        scaled = {string: gain * value for string, value in terms.items()}
        return PauliSum({**scaled, "": scaled.get("", 0.0) + shift})

    @torch.no_grad()
    def sample(self, x: Tensor, shots: int, generator: torch.Generator | None = None) -> Tensor:
        """Finite-shot estimates of the outputs.

        One shot draws a Pauli string with probability |c_P|/‖c‖₁ and measures it: ±‖c‖₁ around the exactly
        known identity, so a shot is +‖c‖₁ with probability (1 + (f - c_I)/‖c‖₁)/2.

        Args:
            x: (batch, features).
            shots: Shots per point and output.
            generator: Source of random numbers; by default one with seed 0.

        Returns:
            (batch, outputs), means over the shots.

        Raises:
            SolverError: If `shots` is not positive.
        """
        if isinstance(shots, bool) or not isinstance(shots, int) or shots < 1:
            raise SolverError("a whole number of shots >= 1", repr(shots), "sample(x, shots=1000)")
        source = torch.Generator().manual_seed(0) if generator is None else generator
        exact = self(x)
        drawn = []
        for output in range(self.circuit.outputs):
            observable = self.observable(output)
            drawn.append(sample_means(exact[:, output], observable.identity, observable.norm, shots, source))
        return torch.stack(drawn, dim=1)

    def config(self) -> dict[str, Any]:
        """Arguments that rebuild the network, JSON-able; parameters are in `state_dict()`."""
        return {
            "kind": "QuantumNetwork",
            "circuit": self.circuit.to_dict(),
            "readout": self.readout,
            "dtype": str(self.dtype).removeprefix("torch."),
        }

    @classmethod
    def from_config(cls, circuit: Mapping[str, Any], readout: str | None, dtype: str = "float64") -> QuantumNetwork:
        """Rebuild from `config()`, without its kind.

        Args:
            circuit: `circuit.to_dict()`.
            readout: None or "affine".
            dtype: "float64" or "float32".

        Returns:
            The network with fresh parameters.
        """
        kinds = {"float64": torch.float64, "float32": torch.float32}
        return cls(Circuit.from_dict(circuit), readout, dtype=kinds.get(dtype, dtype))  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """The circuit's dictionary with the angles under `parameters`, and the readout where there is one."""
        result = {**self.circuit.to_dict(), "parameters": self.angles.tolist()}
        if self.readout == "affine":
            result |= {"readout": "affine", "gain": self.gain.tolist(), "shift": self.shift.tolist()}
        return result

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> QuantumNetwork:
        """Rebuild from `to_dict()`, or from the dictionary of a circuit.

        Args:
            data: A circuit's dictionary, optionally with `parameters`, `readout`, `gain`, `shift`.

        Returns:
            The network.

        Raises:
            SolverError: If numbers do not fit the circuit.
        """
        network = cls(Circuit.from_dict(data), data.get("readout"), data.get("parameters"))
        if network.readout == "affine":
            with torch.no_grad():
                for name, value in (("gain", network.gain), ("shift", network.shift)):
                    wanted = f"{name}: {len(value)} finite numbers"
                    given = real_numbers(data.get(name, value), wanted)
                    if given.ndim and given.shape != value.shape:
                        raise SolverError(wanted, f"shape {tuple(given.shape)}", "")
                    value.copy_(given)
        return network

    def extra_repr(self) -> str:
        """Sizes."""
        c = self.circuit
        return f"qubits={c.qubits}, features={c.features}, angles={c.parameters}, readout={self.readout!r}"


def sample_means(exact: Tensor, identity: float, norm: float, shots: int, generator: torch.Generator) -> Tensor:
    """Means of shots whose outcomes are identity ± norm with the given expectation.

    Args:
        exact: Expectations (...).
        identity: Coefficient of the identity.
        norm: ‖c‖₁ of the other strings.
        shots: Shots of each mean.
        generator: Source of random numbers.

    Returns:
        (...), in float64.
    """
    exact = exact.detach().to(torch.float64)
    if norm == 0:
        return exact.clone()
    chance = ((1 + (exact - identity) / norm) / 2).clamp(0, 1)
    ups = torch.binomial(torch.full_like(chance, float(shots)), chance, generator=generator)
    return identity + norm * (2 * ups / shots - 1)


def _angles(circuit: Circuit, parameters: Sequence[float] | Tensor | None, seed: int) -> Tensor:
    count = circuit.parameters
    if parameters is None:
        return 2 * math.pi * torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    angles = real_numbers(parameters, f"{count} finite angles, by number")
    if angles.shape != (count,):
        raise SolverError(f"{count} finite angles, by number", f"shape {tuple(angles.shape)}", "")
    return angles.clone()


def real_numbers(values: Any, wanted: str) -> Tensor:
    """Numbers, arrays, lists or tensors as a tensor in float64.

    Args:
        values: What a user gave.
        wanted: What should have been given, for the message.

    Returns:
        The tensor, detached.

    Raises:
        SolverError: If they are no finite real numbers.
    """
    try:
        # by NumPy, for which Python's floats are doubles
        made = values if isinstance(values, Tensor) else torch.as_tensor(np.asarray(values))
    except (TypeError, ValueError, RuntimeError) as error:
        raise SolverError(wanted, f"{values!r:.60}", str(error)) from error
    if made.is_complex() or made.dtype == torch.bool:
        raise SolverError(wanted, str(made.dtype), "real numbers")
    made = made.detach().to(torch.float64)
    if not bool(torch.isfinite(made).all()):
        raise SolverError(wanted, "NaN or infinity", "drop or fill them")
    return made


def _check_values(x: Tensor, curved: Sequence[int]) -> None:
    try:
        finite = bool(torch.isfinite(x).all())
        inside = not curved or bool((x[:, curved].abs() <= 1).all())
    except RuntimeError:  # inside a transformation of torch.func values can't be asked
        return
    if not finite:
        raise SolverError("finite features", "NaN or infinity", "drop or fill these points")
    if not inside:
        names, largest = ", ".join(f"x{j}" for j in curved), float(x[:, curved].abs().max())
        raise SolverError(
            f"features {names} in [-1, 1], as gates read their arccos",
            f"|x| up to {largest:g}",
            "scale them to (-1, 1); derivatives need the open interval",
        )
