"""One case: damage by number, read, and what became of it."""

import gc
import os
import random
import resource
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.targets import Target
from hyperlift.errors import InputError
from hyperlift.readers import UnforeseenDamage

MOST_SECONDS = 2.0
"""Of computing; a case that takes longer is counted as a hang."""
MOST_BYTES = 1_000_000_000
"""Of memory that a case may take beyond what the process has."""


@dataclass(frozen=True)
class Outcome:
    """How a case ended."""

    end: str
    """``read``, ``refused`` (with a message of the reader's own), ``netted`` (by the net under all readers) or
    ``other``, an exception that is no ``InputError``."""
    said: str
    seconds: float
    out_of_memory: bool
    """Whether memory was refused to it."""


@dataclass
class Bench:
    """The targets of one reader, their undamaged files laid out in folders."""

    reader: str
    targets: list[Target]
    folder: Path
    _contents: list[dict[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number, target in enumerate(self.targets):
            home = self.folder / str(number)
            home.mkdir(parents=True)
            target.make(home)
            self._contents.append({name: (home / name).read_bytes() for name in target.damage})

    def read_undamaged(self) -> None:
        """Every target's files are read without complaint before they are damaged."""
        for number, target in enumerate(self.targets):
            target.read(self.folder / str(number))

    def damage(self, seed: int) -> int:
        """Write the damaged file of a case; returns the number of its target."""
        rng = random.Random(f"{self.reader} {seed}")
        number = rng.randrange(len(self.targets))
        damage = self.targets[number].damage
        name = rng.choice(sorted(damage))
        content = damage[name](self._contents[number][name], rng)
        (self.folder / str(number) / name).write_bytes(content)
        self._damaged = number, name
        return number

    def mend(self) -> None:
        """Put the undamaged file back."""
        number, name = self._damaged
        (self.folder / str(number) / name).write_bytes(self._contents[number][name])

    def run(self, seed: int) -> Outcome:
        """One case."""
        number = self.damage(seed)
        end, said, memory = "read", "", False
        begun = time.process_time()
        try:
            self.targets[number].read(self.folder / str(number))
        except InputError as error:
            end = "netted" if isinstance(error, UnforeseenDamage) or _is_netted(error) else "refused"
            said, memory = str(error), _is_memory(error)
        except Exception as error:
            end, said, memory = "other", f"{type(error).__name__}: {error!s:.300}", isinstance(error, MemoryError)
        seconds = time.process_time() - begun
        self.mend()
        return Outcome(end, said, seconds, memory)


def _chain(error: BaseException | None) -> list[BaseException]:
    found = []
    while error is not None and len(found) < 20:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _is_netted(error: BaseException) -> bool:
    return any(isinstance(one, UnforeseenDamage) for one in _chain(error))


def _is_memory(error: BaseException) -> bool:
    return any(isinstance(one, MemoryError) for one in _chain(error))


@contextmanager
def warnings_are_errors() -> Iterator[None]:
    """A warning of numpy is a fault that a reader should have seen: it counts as an exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@contextmanager
def bound_memory() -> Iterator[None]:
    """Let this process have ``MOST_BYTES`` more than it has; what asks for more gets a ``MemoryError``."""
    gc.collect()
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + MOST_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def unbound_memory() -> Iterator[None]:
    """Within ``bound_memory``, as much as there is."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def takes_too_much(bench: Bench, seed: int) -> bool:
    """Whether a case to which memory was refused takes more than ``MOST_BYTES`` where there is enough.

    FFmpeg says "out of memory" of sizes that it would never take, too, and takes none.
    """
    with unbound_memory():
        before = reset_peak()
        outcome = bench.run(seed)
        return peak_bytes() - before > MOST_BYTES or not (outcome.out_of_memory and outcome.end == "refused")


def reset_peak() -> int:
    """Forget the most memory that this process has had; returns what it has now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()


def peak_bytes() -> int:
    """The most memory that this process has had since ``reset_peak``."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
