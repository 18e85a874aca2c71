"""The outcome as one Markdown table: airgap, what it is compared with, the ratio, the target."""

from dataclasses import dataclass, field

from measure import Result

_MIB = 1 << 20


@dataclass(frozen=True)
class Target:
    """At most this much, or less than it when `below`."""

    limit: float
    below: bool = False

    def met(self, value: float) -> bool:
        return value < self.limit if self.below else value <= self.limit

    def __str__(self) -> str:
        return f"{'<' if self.below else '≤'} {self.limit:g}"


@dataclass
class Table:
    """Rows in the order they are added. A row without a target is information."""

    _rows: list[tuple[str, ...]] = field(default_factory=list)

    def times(self, what: str, ours: Result, other_name: str, other: Result, target: Target | None = None) -> None:
        ratio = ours.wall / other.wall
        shown = f"{ratio:.2f} (best {ours.best / other.best:.2f})"
        self._add(what, _seconds(ours), f"{other_name}: {_seconds(other)}", shown, target, ratio)

    def sizes(self, what: str, ours: int, other_name: str, other: int, target: Target | None = None) -> None:
        ratio = ours / other
        self._add(what, _megabytes(ours), f"{other_name}: {_megabytes(other)}", f"{ratio:.4f}", target, ratio)

    def peak(self, what: str, ours: int, others: dict[str, int], target: Target) -> None:
        beside = ", ".join(f"{name} {peak / _MIB:.0f}" for name, peak in others.items())
        self._rows.append((what, f"{ours / _MIB:.1f} MiB", beside, "", f"{target} MiB", _word(target.met(ours / _MIB))))

    def plain(self, what: str, ours: str, target: str = "", met: bool | None = None) -> None:
        self._rows.append((what, ours, "", "", target, "" if met is None else _word(met)))

    def __str__(self) -> str:
        head = ("measure", "airgap", "beside", "ratio", "target", "met")
        lines = [head, tuple("---" for _ in head), *self._rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    def _add(self, what: str, ours: str, other: str, ratio: str, target: Target | None, value: float) -> None:
        self._rows.append((what, ours, other, ratio, str(target or ""), _word(target.met(value)) if target else ""))


def _seconds(result: Result) -> str:
    return f"{result.wall:.2f} s ({result.cpu:.2f} cpu)"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def _word(met: bool) -> str:
    return "yes" if met else "**no**"
