"""Nested dissection by coordinates: an order of elimination with little fill."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

_LEAF = 24  # nodes that are not divided further


def nested_dissection(nodes: np.ndarray, elements: np.ndarray) -> np.ndarray:
    """Number the parts into which a mesh falls: halves first, then the nodes between them (George 1973).

    Args:
        nodes: (N, d) positions.
        elements: (E, b) nodes of each element.

    Returns:
        Part of each node, (N,); parts are eliminated in the order of their numbers.

    Example:
        >>> line = np.arange(50.0)[:, None]
        >>> part = nested_dissection(line, np.column_stack([np.arange(49), np.arange(1, 50)]))
        >>> int(part.max()), np.flatnonzero(part == part.max()).tolist()
        (4, [24])
    """
    count, width = len(nodes), elements.shape[1]
    rows = np.repeat(np.arange(len(elements)), width)
    member = csr_matrix((np.ones(rows.size), (rows, elements.ravel())), shape=(len(elements), count))
    graph = csr_matrix(member.T @ member)
    part, number = np.zeros(count, dtype=int), 0

    def divide(own: np.ndarray) -> None:
        nonlocal number
        if len(own) > _LEAF:
            places = nodes[own]
            axis = int(np.ptp(places, axis=0).argmax())
            low = places[:, axis] < np.median(places[:, axis])
            first, second = own[low], own[~low]
            marked = np.zeros(count, dtype=bool)
            marked[second] = True
            between = (graph[first] @ marked) > 0
            if 0 < between.sum() < len(first):
                divide(first[~between])
                divide(second)
                own = first[between]
        part[own] = number
        number += 1

    divide(np.arange(count))
    return part
