"""Team: what the processes of a `torch.distributed` job do together, led by rank 0."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from sciml.errors import TeamError

# the others wait while rank 0 does what only it can do; a process that dies is noticed by its closed connection
_PATIENCE = timedelta(days=7)


def own_device(kind: str) -> torch.device:
    """The device of this process, of a kind as "cpu" or "cuda"."""
    if kind != "cuda":
        return torch.device(kind)
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % max(torch.cuda.device_count(), 1))


class Team:
    """Messages between rank 0 and all ranks: objects over gloo, tensors of a GPU over nccl where each has its own.

    Every method must be called by all ranks in the same order.

    Raises:
        TeamError: From every method, when another process is gone.
    """

    def __init__(self) -> None:
        self._owns = not dist.is_initialized()
        if self._owns:
            backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
            dist.init_process_group(backend, timeout=_PATIENCE)
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self._objects = dist.new_group(backend="gloo", timeout=_PATIENCE)
        own = int(os.environ.get("LOCAL_WORLD_SIZE", str(self.size))) <= torch.cuda.device_count()
        self._direct = own and "nccl" in str(dist.get_backend_config())

    def broadcast(self, value: Any = None) -> Any:
        """The object of rank 0, on every rank."""
        box = [value]
        self._together(lambda: dist.broadcast_object_list(box, src=0, group=self._objects))
        return box[0]

    def gather(self, value: Any) -> list[Any]:
        """The objects of all ranks on rank 0; nothing on the others."""
        found: list[Any] | None = [None] * self.size if self.rank == 0 else None
        self._together(lambda: dist.gather_object(value, found, dst=0, group=self._objects))
        return found or []

    def scatter(self, values: Sequence[Any] | None) -> Any:
        """Every rank its own of the objects that rank 0 has."""
        box: list[Any] = [None]
        given = list(values) if values is not None else None
        self._together(lambda: dist.scatter_object_list(box, given, src=0, group=self._objects))
        return box[0]

    def total(self, tensor: Tensor) -> Tensor:
        """The sum over all ranks, on rank 0; of no meaning on the others."""
        if tensor.device.type != "cpu" and self._direct:
            summed = tensor.contiguous()
            self._together(lambda: dist.reduce(summed, dst=0))
            return summed
        here = tensor.cpu().contiguous()
        self._together(lambda: dist.reduce(here, dst=0, group=self._objects))
        return here.to(tensor.device)

    def anywhere(self, flag: bool) -> bool:
        """Whether the flag is up on any rank, on every rank."""
        raised = torch.tensor([int(flag)])
        self._together(lambda: dist.all_reduce(raised, dist.ReduceOp.MAX, group=self._objects))
        return bool(raised)

    def leave(self) -> None:
        """End the process group that was begun here."""
        if self._owns and dist.is_initialized():
            dist.destroy_process_group()

    def _together(self, operation: Callable[[], Any]) -> None:
        try:
            operation()
        except (RuntimeError, ConnectionError, EOFError) as error:
            raise TeamError(
                f"all {self.size} processes to answer",
                f"rank {self.rank} lost one: {(str(error) or type(error).__name__).splitlines()[0][:160]}",
                "start the job again; a training goes on from its checkpoint (PINN.solve(resume=...))",
            ) from error
