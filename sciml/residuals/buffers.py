"""Memory that is used again: fresh pages cost as much as the arithmetic done on them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

Shape = tuple[int, ...]


class BufferPool:
    """Free tensors by shape; what was unused longest is dropped beyond `limit` bytes; threads may share it.

    Args:
        limit: Most bytes kept free.
    """

    def __init__(self, limit: int = 2**29) -> None:
        self.limit, self._bytes = limit, 0
        self._free: OrderedDict[tuple[Shape, torch.dtype, torch.device], list[Tensor]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, shape: Sequence[int], like: Tensor) -> Tensor:
        """A contiguous tensor with undefined content."""
        key = (tuple(shape), like.dtype, like.device)
        with self._lock:
            free = self._free.get(key)
            if free:
                self._free.move_to_end(key)
                tensor = free.pop()
                self._bytes -= tensor.nbytes
                return tensor
        return torch.empty(key[0], dtype=like.dtype, device=like.device)

    def give(self, tensor: Tensor) -> None:
        """Hand a tensor of `take` back; nobody may hold a view of it."""
        with self._lock:
            self._free.setdefault((tuple(tensor.shape), tensor.dtype, tensor.device), []).append(tensor)
            self._bytes += tensor.nbytes
            while self._bytes > self.limit:
                key, free = next(iter(self._free.items()))
                if free:
                    self._bytes -= free.pop().nbytes
                if not free:
                    del self._free[key]
