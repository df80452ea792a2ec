"""Crew: rank 0 runs the program and calls objects that live on all ranks; the other ranks wait for such calls.

With one process in charge there is one clock, one random state, one decision to stop, to resample or to resume, and one
writer of files; the others can only be asked for sums and rows of what they hold.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import threading
import traceback
import weakref
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch.distributed as dist
from torch import Tensor

from sciml.distributed.team import Team
from sciml.errors import SolverError, TeamError

Result = TypeVar("Result")
_present: list[Crew] = []


def present_crew() -> Crew | None:
    """The crew that this program leads; None in a program of one process."""
    return _present[-1] if _present else None


def run(main: Callable[[], Result]) -> Result | None:
    """Run a program on all processes that `torchrun` has started: rank 0 runs it, the others hold shares of its rows.

    Inside, `PINN` and `Influence` spread residual rows and Jacobians over the processes and reduce their products; all
    else, as printing, saving and choosing points, happens on rank 0 alone. Every process must run the same script.
    In a program that was not started by `torchrun` it is the same as `main()`.

    Args:
        main: The program, without arguments.

    Returns:
        What it returns, on rank 0; None on the others.

    Raises:
        TeamError: If another process is gone.

    Example:
        >>> from sciml import distributed
        >>> distributed.run(lambda: 1 + 1)
        2
    """
    begun = dist.is_available() and dist.is_initialized()
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 and not begun:
        return main()
    crew = Crew(Team())
    if crew.team.rank:
        crew.serve()
        return None
    _present.append(crew)
    try:
        return main()
    finally:
        _present.remove(crew)
        crew.end()


class Crew:
    """The objects on all ranks, by number.

    Args:
        team: The processes.
    """

    def __init__(self, team: Team) -> None:
        self.team = team
        self._objects: dict[int, Any] = {}
        self._dropped: list[int] = []  # freed on the other ranks with the next call
        self._next, self._lost = 0, False

    @property
    def size(self) -> int:
        """Number of processes."""
        return self.team.size

    def create(self, factory: Callable[..., Any], shares: Sequence[Sequence[Any]], *common: Any) -> Remote:
        """One object on every rank.

        Args:
            factory: A function or class of a module, called as `factory(*share, *common)`.
            shares: Arguments of each rank.
            *common: Arguments of all ranks.

        Returns:
            The objects, to be called together.
        """
        key = self._new()
        self._order("create", key, _packed(factory), _packed(common), shares=[tuple(share) for share in shares])
        return Remote(self, key)

    def _new(self) -> int:
        self._next += 1
        return self._next

    def drop(self, key: int) -> None:
        """Forget an object; called when its handle is collected, so it only leaves a note."""
        self._dropped.append(key)

    def _order(self, action: str, *arguments: Any, shares: Sequence[Any] | None = None) -> Any:
        """Have every rank do the same, this one included; answers are reduced as the action says."""
        dropped, self._dropped = self._dropped, []
        order = _packed((action, dropped, arguments))
        packed = None if shares is None else [_packed(share) for share in shares]
        with _undisturbed():
            try:
                self.team.broadcast(order)
                return self._obey(action, dropped, arguments, packed)
            except TeamError:
                self._lost = True
                raise

    def _obey(self, action: str, dropped: list[int], arguments: tuple, shares: list[bytes] | None = None) -> Any:
        for key in dropped:
            self._objects.pop(key, None)
        if action == "create":
            key, factory, common = arguments
            return self._create(key, factory, common, self.team.scatter(shares))
        return self._call(*arguments)

    def _create(self, key: int, factory: bytes, common: bytes, share: bytes) -> None:
        def make() -> Any:
            parts = (*pickle.loads(share), *pickle.loads(common))
            return pickle.loads(factory)(*[self._known(part) for part in parts])

        made, error = _tried(make)
        self._agree(error)
        self._objects[key] = made

    def _call(self, key: int, method: str, arguments: tuple, how: str, result: int | None) -> Any:
        def answer() -> Any:
            return getattr(self._objects[key], method)(*[self._known(part) for part in arguments])

        value, error = _tried(answer)
        self._agree(error)
        if how == "total":
            return self.team.total(value)
        if result is not None:  # kept where it is; what is gathered tells rank 0 about it
            self._objects[result], value = value
        return self.team.gather(value)

    def _known(self, value: Any) -> Any:
        return self._objects[value.key] if isinstance(value, Handle) else value

    def _agree(self, error: BaseException | None) -> None:
        """Go on only where no rank failed; else rank 0 raises, and the others wait for what it does next."""
        if not self.team.anywhere(error is not None):
            return
        texts = self.team.gather(None if error is None else "".join(traceback.format_exception(error)))
        if self.team.rank:
            raise _GiveUpError
        if error is not None:
            raise error
        failed = {rank: text for rank, text in enumerate(texts) if text}
        rank, text = next(iter(failed.items()))
        raise SolverError(
            f"all {self.size} processes to do their share",
            f"rank {rank} failed: {text.strip().splitlines()[-1]}\n{text}",
        )

    def serve(self) -> None:
        """Do what rank 0 asks for, until it ends."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # rank 0 decides whether and when to stop
        while True:
            action, dropped, arguments = pickle.loads(self.team.broadcast())
            if action == "end":
                break
            with contextlib.suppress(_GiveUpError):
                self._obey(action, dropped, arguments)
        self.team.leave()

    def end(self) -> None:
        """Let the other ranks go."""
        if not self._lost:
            self.team.broadcast(_packed(("end", [], ())))
            self.team.leave()


def _packed(value: Any) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception as error:
        raise SolverError(
            "a problem and a network that other processes can be sent",
            f"{type(error).__name__}: {error}",
            "define functions and classes at the top of a module (def, class), not as lambda or inside a function",
        ) from error


@dataclass(frozen=True)
class Handle:
    """Number of an object that every rank has, as an argument."""

    key: int


class Remote:
    """One object on every rank, called on all of them at once.

    Args:
        crew: The crew.
        key: Number of the object.
    """

    def __init__(self, crew: Crew, key: int) -> None:
        self.crew, self.handle = crew, Handle(key)
        weakref.finalize(self, crew.drop, key)

    @property
    def here(self) -> Any:
        """The object of rank 0."""
        return self.crew._objects[self.handle.key]

    def gather(self, method: str, *arguments: Any) -> list[Any]:
        """What a method answers on every rank, by rank."""
        return self.crew._order("call", self.handle.key, method, _on_cpu(arguments), "gather", None)

    def total(self, method: str, *arguments: Any) -> Tensor:
        """The sum of the tensors that a method answers."""
        return self.crew._order("call", self.handle.key, method, _on_cpu(arguments), "total", None)

    def keep(self, method: str, *arguments: Any) -> tuple[Remote, list[Any]]:
        """Call a method that answers (what to keep, what to tell).

        Returns:
            The kept objects and what the ranks told.
        """
        key = self.crew._new()
        told = self.crew._order("call", self.handle.key, method, _on_cpu(arguments), "gather", key)
        return Remote(self.crew, key), told


def _on_cpu(arguments: tuple) -> tuple:
    return tuple(part.detach().cpu() if isinstance(part, Tensor) else part for part in arguments)


class _GiveUpError(Exception):
    """On ranks that serve: the call failed somewhere, and rank 0 has been told."""


def _tried(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return work(), None
    except Exception as error:
        return None, error


@contextlib.contextmanager
def _undisturbed() -> Generator[None, None, None]:
    """Let Ctrl-C wait until the ranks are in step again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(1))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
