"""Programs on several processes inside a test: forks, so that nothing is imported again."""

from __future__ import annotations

import os
import pickle
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from sciml import distributed


def on_processes(main: Callable[[], Any], size: int = 2) -> Any:
    """What `distributed.run(main)` returns on rank 0 of so many processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        children = [_fork(main, rank, size, port, answer) for rank in range(size)]
        statuses = [os.waitpid(child, 0)[1] for child in children]
        assert statuses == [0] * size, statuses
        return pickle.loads(answer.read_bytes())


def _fork(main: Callable[[], Any], rank: int, size: int, port: int, answer: Path) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_RANK": str(rank),
                       "LOCAL_WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}  # fmt: skip
        torch.set_num_threads(1)
        found = distributed.run(main)
        if rank == 0:
            answer.write_bytes(pickle.dumps(found))
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)
