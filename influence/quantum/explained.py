"""Explained: one output of a model, as explainers see it; counts evaluations."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.quantum import Circuit, QuantumNetwork, light_cone
from sciml.quantum.network import real_numbers
from sciml.quantum.simulator import Program, compiled

_STATES = 2**15  # amplitudes evaluated at once: they stay in the cache


class Explained:
    """f: one output of a quantum network, or of any callable from (batch, features) to (batch, outputs).

    Args:
        model: The model.
        x: Points to explain, (batch, features).
        output: Number of the output.

    Raises:
        SolverError: If model, points and output do not fit together.
    """

    def __init__(self, model: Any, x: Any, output: int = 0) -> None:
        if not callable(model):
            raise SolverError("a QuantumNetwork or a callable", type(model).__name__, "")
        self.model, self.output = model, output
        self.network = model if isinstance(model, QuantumNetwork) else None
        self.x = real_numbers(x, "finite points (batch, features)")
        if self.x.ndim != 2 or not len(self.x):
            given = f"shape {tuple(self.x.shape)}"
            raise SolverError("finite points (batch, features), at least one", given, "x[None] for one")
        if isinstance(output, bool) or not isinstance(output, int):
            raise SolverError("a whole number as output", repr(output), "output=0")
        self.evaluations = 0
        if self.network is not None:
            self.network.encoding_angles(self.x)  # refuses features that do not fit
            self.observable = self.network.observable(output)

    @property
    def features(self) -> int:
        """Number of features."""
        return self.x.shape[1]

    @cached_property
    def circuit(self) -> Circuit:
        """The circuit with the one output, readout folded into its observable."""
        whole = self.needed_network("this method").circuit
        return Circuit(whole.qubits, whole.features, whole.gates, (self.observable,))

    @cached_property
    def cone(self) -> Any:
        """Light cone of the output."""
        return light_cone(self.circuit)

    @property
    def theta(self) -> Tensor:
        """Angles, detached."""
        return self.needed_network("this method").angles.detach().to(torch.float64)

    @property
    def program(self) -> Program:
        """Encoding angles and θ to the output."""
        return compiled(self.circuit)

    def needed_network(self, what: str) -> QuantumNetwork:
        """The quantum network, or an error for black boxes.

        Args:
            what: What needs it.

        Returns:
            The network.

        Raises:
            SolverError: If the model is a black box.
        """
        if self.network is None:
            raise SolverError(
                f"a QuantumNetwork for {what}", type(self.model).__name__,
                "black boxes have taylor_infinity with point references, shapley, and the baselines",
            )  # fmt: skip
        return self.network

    def angles(self, x: Tensor) -> Tensor:
        """Encoding angles (batch, K) at points (batch, features)."""
        return self.needed_network("gate angles").encoding_angles(x).detach().to(torch.float64)

    @property
    def bent(self) -> set[int]:
        """Features that some gate reads as arccos x, which keeps them within [-1, 1]; none of black boxes."""
        gates = () if self.network is None else self.network.circuit.encoding_gates
        return {gate.feature for gate in gates if gate.transform == "arccos"}

    def encoded(self, x: Tensor) -> Tensor:
        """z: x, or arccos x for the features whose gates read so, (batch, features)."""
        bent = self.bent
        plain = {gate.feature for gate in self.circuit.encoding_gates if gate.transform != "arccos"}
        if bent & plain:
            raise SolverError(
                "one transform per feature on the Fourier route",
                f"x{min(bent & plain)} is read as x and as arccos x",
                "",
            )
        return torch.stack([torch.arccos(x[:, j]) if j in bent else x[:, j] for j in range(self.features)], dim=1)

    @cached_property
    def gate_features(self) -> Tensor:
        """Feature of each encoding gate, (K,)."""
        return torch.tensor([gate.feature for gate in self.circuit.encoding_gates], dtype=torch.long)

    def by_feature(self, by_gate: Tensor) -> Tensor:
        """Sums over the gates of each feature, (batch, K) -> (batch, features)."""
        total = by_gate.new_zeros(len(by_gate), self.features)
        return total.index_add(1, self.gate_features, by_gate)

    def __call__(self, x: Tensor) -> Tensor:
        """Values of f at points, differentiable in x: (batch, features) -> (batch,)."""
        self.evaluations += len(x)
        values = self.model(x)
        wanted = f"a model from (batch, {self.features}) to (batch, outputs) with output {self.output}"
        if not isinstance(values, Tensor):
            values = real_numbers(values, wanted)
        if values.ndim == 1:
            values = values[:, None]
        if values.ndim != 2 or len(values) != len(x) or not 0 <= self.output < values.shape[1]:
            raise SolverError(wanted, f"values of shape {tuple(values.shape)}", "")
        if not bool(torch.isfinite(values.detach()).all()):
            raise SolverError("finite values of the model", "NaN or infinity", "look at the model where it is so")
        return values[:, self.output].to(torch.float64)

    @torch.no_grad()
    def values(self, x: Tensor) -> Tensor:
        """Values of f at many points, in chunks: (..., features) -> (...)."""
        flat = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
        return torch.cat([self(piece) for piece in flat.split(self.chunk)] or [flat.new_zeros(0)]).reshape(x.shape[:-1])

    @torch.no_grad()
    def of_angles(self, angles: Tensor, start: Tensor | None = None) -> Tensor:
        """Values of f at encoding angles, in chunks: (..., K) -> (...); `start` are initial basis states (...)."""
        flat = angles.reshape(math.prod(angles.shape[:-1]), angles.shape[-1])
        bits = None if start is None else start.reshape(-1)
        pieces = []
        for i in range(0, len(flat), self.chunk):
            piece = flat[i : i + self.chunk]
            self.evaluations += len(piece)
            first = None
            if bits is not None:
                first = torch.nn.functional.one_hot(bits[i : i + self.chunk], 2**self.circuit.qubits)
                first = first.to(torch.complex128)
            pieces.append(self.program.expectations(piece, self.theta, first)[:, 0])
        return torch.cat(pieces or [flat.new_zeros(0)]).reshape(angles.shape[:-1])

    def gradient(self, x: Tensor) -> Tensor:
        """∇f at points, (batch, features)."""
        with torch.enable_grad():
            where = x.detach().clone().requires_grad_()
            value = self(where).sum()
            if not value.requires_grad:
                raise SolverError("a model that torch can differentiate", type(self.model).__name__, "use occlusion")
            (slope,) = torch.autograd.grad(value, where, allow_unused=True, materialize_grads=True)
        return slope

    def angle_gradient(self, angles: Tensor) -> Tensor:
        """∂f/∂α at encoding angles, (batch, K)."""
        self.evaluations += len(angles)
        with torch.enable_grad():
            where = angles.detach().clone().requires_grad_()
            value = self.program.expectations(where, self.theta).sum()
            if not value.requires_grad:
                return torch.zeros_like(angles)
            (slope,) = torch.autograd.grad(value, where, allow_unused=True, materialize_grads=True)
        return slope

    @property
    def chunk(self) -> int:
        """Points evaluated at once."""
        return 4096 if self.network is None else max(1, _STATES >> self.network.circuit.qubits)
