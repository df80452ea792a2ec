"""What users get wrong: every line ends in an error that says what was expected, never in a number."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from influence.quantum import (
    evaluate,
    integrated_gradients,
    pauli_relevance,
    qlrp,
    shapley,
    shapley_shots,
    smoothgrad,
    surrogate,
    taylor_infinity,
)
from sciml.errors import ProblemError, SolverError
from sciml.quantum import Circuit, EncodingGate, FixedGate, PauliSum, QuantumNetwork, encoding_first, reuploading

Z0 = [{"Z0": 1.0}]
NETWORK = QuantumNetwork(reuploading(2, layers=2, scales=[0.5, 1.0]), seed=0)
X = torch.tensor([[0.3, -0.4], [0.1, 0.8]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: encoding_first(40), r"at most 24; one state alone takes .* GiB"),
        (lambda: FixedGate("CCX", (0, 1, 2)), "a fixed gate: H X Y Z S T CZ CNOT SWAP"),
        (lambda: FixedGate(["H"], (0,)), "a fixed gate"),  # type: ignore[arg-type]
        (lambda: EncodingGate("RX", None, 0), r"1 different qubit\(s\)(.|\n)*None"),  # type: ignore[arg-type]
        (lambda: EncodingGate("RX", (0.5,), 0), "1 different qubit"),  # type: ignore[arg-type]
        (lambda: EncodingGate("RX", (0,), 0.0), "a feature number"),  # type: ignore[arg-type]
        *((lambda s=s: EncodingGate("RX", (0,), 0, s), "a finite scale") for s in ("2", 1j, None, True, float("inf"))),
        (lambda: EncodingGate("RX", (0,), 0, 1.0, float("nan")), "finite offset"),
        (lambda: Circuit(1, 1, 5, Z0), "a list of gates"),  # type: ignore[arg-type]
        (lambda: Circuit(1, 1, ["H"], Z0), "'H' is not an EncodingGate"),  # type: ignore[arg-type]
        (lambda: Circuit(1, 1, [], None), "a list of observables"),  # type: ignore[arg-type]
        (lambda: Circuit(1, 1, [], "Z0"), "a list of observables"),  # type: ignore[arg-type]
        *((lambda c=c: PauliSum({"Z0": c}), "real, finite") for c in (1j, "1", None, True, float("nan"))),
        *((lambda t=t: PauliSum(t), "a dictionary") for t in ({0: 1.0}, ["Z0"], None)),
        (lambda: PauliSum({"z0": 1.0}), "a Pauli string"),
        *((lambda n=n: reuploading(2, layers=n), "layers: a whole number >= 0") for n in (-1, 1.5, True)),
        (lambda: reuploading(2, features=0), "features: a whole number >= 1"),
        (lambda: encoding_first(0, 2), "qubits: a whole number >= 1"),
        *((lambda a=a: reuploading(2, features=2, assignment=a), "one feature number 0 ... 1")
          for a in ((0, 3), (0, -1), (0,))),
        (lambda: Circuit.from_dict(None), "a dictionary"),  # type: ignore[arg-type]
        (lambda: Circuit.from_dict({"qubits": 1, "features": 1, "gates": ["H"], "observables": Z0}), "each gate"),
    ],
)  # fmt: skip
def test_circuits(make: Any, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        make()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        *((lambda x=x: shapley(NETWORK, x), "finite points") for x in (
            "hello", [[1.0], [1.0, 2.0]], X.to(torch.complex128), X * float("nan"), X[:0], X[0], X > 0)),
        (lambda: NETWORK(X.to(torch.complex128)), "real features"),
        *((lambda r=r: shapley(NETWORK, X, r), "2 columns") for r in (True, None, ["a", "b"], 1j, float("nan"), [1.0])),
        *((lambda k=k: shapley(NETWORK, X, output=k), "output") for k in (-1, True, 0.0, "0", 1)),
        *((lambda k=k: taylor_infinity(NETWORK, X, order=k), "at most 150") for k in (0, 400, 2.5, True)),
        (lambda: shapley(NETWORK, X, route="dft"), r"integer scales(.|\n)*0.5 x0"),
        (lambda: taylor_infinity(NETWORK, X, "uniform", route="dft"), r"integer scales(.|\n)*0.5 x0"),
        (lambda: taylor_infinity(QuantumNetwork(reuploading(8, layers=4)), torch.ones(1, 8), "uniform"), "Fourier"),
        (lambda: qlrp(NETWORK, X), r"gate \d+: CZ(.|\n)*rule=\"gate\""),
        (lambda: qlrp(QuantumNetwork(reuploading(11, layers=1)), torch.ones(2, 11), rule="gate"), "GiB"),
        *((lambda p=p: pauli_relevance(NETWORK, X, p), "a position") for p in (-1, 1.5, True)),
        (lambda: taylor_infinity(NETWORK, X, "root", candidates=torch.ones(3, 5)), "2 columns"),
        (lambda: shapley_shots(NETWORK, X, shots=10.5), "shots"),  # type: ignore[arg-type]
        (lambda: smoothgrad(NETWORK, X, width=-1.0), "width: a finite number > 0"),
        (lambda: smoothgrad(NETWORK, X, samples=1), "samples: a whole number >= 2"),
        (lambda: surrogate(NETWORK, X, width=0.0), "width"),
        (lambda: surrogate(NETWORK, X, ridge=-1.0), "ridge"),
        (lambda: integrated_gradients(NETWORK, X, steps=True), "steps"),
        (lambda: shapley(lambda z: None, X), "a model from"),
        (lambda: shapley(lambda z: z[:, 0] * float("nan"), X), "finite values of the model"),
        (lambda: shapley(None, X), "a QuantumNetwork or a callable"),
        (lambda: shapley(NETWORK, X).plot(sample=2), "a sample 0 ... 1"),
        (lambda: evaluate(lambda m, z: z, NETWORK, X), "an explainer"),  # type: ignore[arg-type, return-value]
        (lambda: evaluate(shapley, NETWORK, X, ["auc"], mask=torch.full((2, 2), 0.5)), "a mask of 1"),
        (lambda: evaluate(shapley, NETWORK, X, ["auc"], mask=torch.ones(3, 3)), "a mask of shape"),
        *((lambda p=p: QuantumNetwork(reuploading(1, layers=1), parameters=p), "3 finite angles")
          for p in ("abc", torch.zeros(3, dtype=torch.complex128), [0.0, float("nan"), 0.0], [0.0])),
        (lambda: QuantumNetwork.from_dict(
            {**QuantumNetwork(reuploading(1, layers=1), "affine").to_dict(), "gain": [1.0, 2.0]}), "gain: 1 finite"),
    ],
)  # fmt: skip
def test_explanations(call: Any, message: str) -> None:
    with pytest.raises(SolverError, match=message):
        call()


def test_no_points_give_no_values() -> None:
    assert NETWORK(X[:0]).shape == (0, 1)
