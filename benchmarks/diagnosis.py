"""Diagnosis of well and poorly trained models beside the published indicators: `python -m benchmarks.diagnosis`.

`--quick` takes the two problems whose models train in some seconds, and one seed. One thread, float64,
CPU-seconds.
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import Any

import numpy as np
import torch

from benchmarks.diagnosis_cases import PLANTED, SETUPS, Planted, Setup, trained
from influence import Diagnosis, Influence, diagnose
from influence.diagnosis.missing import missing_terms
from sciml.problems import library

_HEAD = (
    "problem",
    "model",
    "error",
    "estimated",
    "tbar",
    "η",
    "published",
    "IC early",
    "IC late",
    "held/train",
    "s",
    "verdict",
)
_FORM = "{:16s} {:5s} {:>8s} {:>9s} {:>5s} {:>5s} {:>9s} {:>8s} {:>8s} {:>10s} {:>5s}  {}"


def line(setup: Setup, well: bool, seed: int) -> Diagnosis:
    """Train, diagnose and print one line.

    Args:
        setup: The problem.
        well: Which model.
        seed: Seed.
    """
    start = time.process_time()
    solution = trained(setup, well, seed)
    report = diagnose(solution, seed=seed)
    reference = library()[setup.problem]().reference
    error = float("nan")
    if reference is not None:
        error = max(solution.error(reference, report.indicators.exam.at).relative_l2.values())
    found = report.indicators
    share, eta, held = found.initial, found.causality, found.held_out
    published = "-" if setup.published is None else f"{setup.published[0]:.2f}/{setup.published[1 if well else 2]:.2f}"
    print(_FORM.format(
        setup.name, "well" if well else "poor", _shown(error, ".1e"), f"{report.estimated_error:.1e}",
        "-" if eta is None else f"{eta.baseline:.2f}", "-" if eta is None else f"{eta.eta:.2f}", published,
        "-" if share is None else f"{share.early:.0%}", "-" if share is None else f"{share.late:.0%}",
        _shown(float(np.nanmax(held.ratio)), ".2g"), f"{time.process_time() - start:.0f}",
        ", ".join(dict.fromkeys(one.name for one in report.faults)) or "healthy",
    ), flush=True)  # fmt: skip
    return report


def _shown(value: float, form: str) -> str:
    return "-" if np.isnan(value) else format(value, form)


def separated(results: list[tuple[str, Diagnosis, Diagnosis]]) -> None:
    """Print in how many seeds well and poor are told apart.

    Args:
        results: Name, well-trained and poorly trained model.
    """
    for name in dict.fromkeys(name for name, _, _ in results):
        own = [(good, bad) for other, good, bad in results if other == name]
        right = sum(bad.estimated_error > good.estimated_error and not bad.healthy for good, bad in own)
        clean = sum(good.healthy for good, _ in own)
        print(f"{name}: told apart {right} of {len(own)}, well-trained called healthy {clean} of {len(own)}")


def recall(planted: Planted) -> str:
    """Share of the planted points among the largest Cook's distances, beside that among the largest residuals.

    Args:
        planted: The model.
    """
    if not len(planted.ids):
        terms = missing_terms(Influence(planted.subject), "pde")
        return f"missing term: {terms[0]}; next: {terms[1]}"
    report = diagnose(planted.subject)
    own = report.indicators.self_influence
    influence = report.indicators.exam.influence
    k = len(planted.ids)
    residual = np.abs((influence.curvature.residual / influence.curvature.root).numpy())
    largest = own.ids[np.argsort(-residual)][:k]
    share = np.isin(own.top(k), planted.ids).mean()
    return f"recall@{k}: Cook {share:.0%}, |r| {np.isin(largest, planted.ids).mean():.0%}"


def faults(seeds: range) -> None:
    """Plant the three faults and print what is found.

    Args:
        seeds: Seeds.
    """
    for make in PLANTED:
        for seed in seeds:
            start = time.process_time()
            planted: Any = make(seed)
            report = diagnose(planted.subject, seed=seed)
            names = ", ".join(one.name for one in report.faults)
            word = "found" if planted.expected in report else "MISSED"
            seconds = time.process_time() - start
            print(f"{planted.name}, seed {seed}: {word} ({names}); {recall(planted)}; {seconds:.0f} s", flush=True)


def main() -> None:
    """Print the table, the separation and the planted faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two problems, one seed")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of the full run; flow takes two")
    parser.add_argument("--only", default="", help="part of the name of a problem")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # models that are poorly trained on purpose warn about it
    print(_FORM.format(*_HEAD))
    results = []
    for setup in SETUPS:
        if (options.quick and not setup.quick) or options.only.lower() not in setup.name.lower():
            continue
        seeds = 1 if options.quick else min(options.seeds, 2 if "flow" in setup.name else options.seeds)
        for seed in range(seeds):
            results.append((setup.name, line(setup, True, seed), line(setup, False, seed)))
    separated(results)
    if not options.only:
        faults(range(1 if options.quick else 3))


if __name__ == "__main__":
    main()
