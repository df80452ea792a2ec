"""Independent tasks on an executor: in this process, on other processes of this machine, or on a cluster.

An executor is anything with `submit(function, *arguments)` that gives a future: those of `concurrent.futures`, of
joblib's loky, a `dask.distributed.Client`, mpi4py's pools.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from numbers import Integral
from typing import Any

import torch

from sciml.errors import SolverError


def run_tasks(function: Callable[..., Any], tasks: Mapping[str, tuple], executor: Any = None) -> list[Any]:
    """Results of `function(*arguments)` for named tasks, in their order, however they were run.

    Args:
        function: A function of a module.
        tasks: Name of each task -> its arguments.
        executor: None runs them here, one after the other; a number of processes; or an executor.

    Returns:
        The results.

    Raises:
        SolverError: If the executor is none, or a task cannot be sent. What a task raises is raised here, with a note
            that names the task; tasks that wait are cancelled.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> with ThreadPoolExecutor(2) as pool:
        ...     run_tasks(pow, {"two": (2, 3), "three": (3, 2)}, pool)
        [8, 9]
    """
    return list(task_results(function, tasks, executor))


def task_results(function: Callable[..., Any], tasks: Mapping[str, tuple], executor: Any = None) -> Iterator[Any]:
    """The same, one by one as they are there; whoever stops asking cancels what still waits.

    Args:
        function: A function of a module.
        tasks: Name of each task -> its arguments.
        executor: As for `run_tasks`.

    Yields:
        The results in the order of the tasks.
    """
    if executor is None:
        for name, own in tasks.items():
            yield _named(name, functools.partial(function, *own))
        return
    with _opened(executor, len(tasks)) as pool:
        futures = {}
        try:
            for name, own in tasks.items():
                _check_sendable(name, (function, own))
                futures[name] = pool.submit(function, *own)
            for name, future in futures.items():
                yield _named(name, future.result)
        finally:
            for future in futures.values():
                future.cancel()


class Shared:
    """An object that many tasks need: packed once, and opened once in every process and thread that they run on.

    Args:
        value: The object.

    Raises:
        SolverError: If it cannot be sent.

    Example:
        >>> Shared([1, 2]).open()
        [1, 2]
    """

    def __init__(self, value: Any) -> None:
        _check_sendable("what the tasks share", value)
        self._packed = pickle.dumps(value)
        self._key = hashlib.sha256(self._packed).hexdigest()

    def open(self) -> Any:
        """A copy, the same one for all tasks of a thread."""
        if getattr(_opened_last, "key", None) != self._key:
            _opened_last.value, _opened_last.key = pickle.loads(self._packed), self._key
        return _opened_last.value


_opened_last = threading.local()


def check_executor(executor: Any) -> None:
    """Refuse what is no executor.

    Args:
        executor: None, a number of processes, or an executor.

    Raises:
        SolverError: If it is something else.
    """
    number = isinstance(executor, Integral) and not isinstance(executor, bool)
    if executor is None or (number and int(executor) >= 1) or (not number and hasattr(executor, "submit")):
        return
    raise SolverError(
        "an executor: None, a number of processes of 1 or more, or an object with submit()",
        repr(executor),
        "executor=2, or concurrent.futures.ProcessPoolExecutor(), or dask.distributed.Client()",
    )


@contextlib.contextmanager
def _opened(executor: Any, tasks: int) -> Generator[Any, None, None]:
    check_executor(executor)
    if not isinstance(executor, Integral):
        yield executor
        return
    count = max(1, min(int(executor), tasks))
    threads = max(1, (os.cpu_count() or 1) // count)
    # fork would copy the locks of threads that do not exist in the copy
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, torch.set_num_threads, (threads,)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _check_sendable(name: str, content: Any) -> None:
    try:
        pickle.dumps(content)
    except Exception as error:
        raise SolverError(
            f"something that another process can be sent: {name}",
            f"{type(error).__name__}: {error}",
            "define functions and classes at the top of a module (def, class), or leave executor out",
        ) from error


def _named(name: str, result: Callable[[], Any]) -> Any:
    try:
        return result()
    except Exception as error:
        error.add_note(f"in task {name!r}")
        raise
