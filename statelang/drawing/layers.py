"""Layered layout: boxes in ranks from top to bottom, edges between them, few crossings, straight where it can be.

The method is Sugiyama's (Sugiyama, Tagawa, Toda 1981): edges that go back are turned round, boxes are ranked by their
longest way from the start, long edges get a point in every rank between, ranks are ordered by barycentres. Where
things stand in a rank is the nearest to where their neighbours want them that keeps their distances: that is
isotonic regression, which pooling adjacent violators solves exactly. Between any two ranks of boxes lies one for
the edges' labels, so that a label has room of its own.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Point = tuple[float, float]

RANK_GAP = 18.0
"""Pixels between a rank of boxes and the rank of labels below or above it."""
BOX_GAP = 28.0
EDGE_GAP = 16.0
_STRAIGHT = 14.0
"""A line that is off by less is drawn straight."""
_SWEEPS = 12
_SETTLINGS = 40


@dataclass(slots=True)
class Box:
    """Something with a size, and where it stands: the middle of its top is at (`x`, `y`)."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0


@dataclass(slots=True)
class Line:
    """An edge from the box `start` to the box `target` (places in the list of boxes), with room for a label.

    `points` are filled in: from the bottom of the start to the top of the target, ready for a smooth curve in which
    every pair of points is joined by vertical tangents. `label` is where the middle of the label is.
    """

    start: int
    target: int
    label_width: float = 0.0
    label_height: float = 0.0
    points: list[Point] = field(default_factory=list)
    label: Point = (0.0, 0.0)


@dataclass(slots=True)
class _Item:
    """What takes room in a rank: a box, or a point (with a label or not) of a line."""

    width: float
    height: float
    box: int | None
    line: int | None
    rank: int = 0
    x: float = 0.0
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)


def arrange(boxes: Sequence[Box], lines: Sequence[Line]) -> tuple[float, float]:
    """Places the boxes, of which the first is where all begins, and the lines; answers width and height of it all."""
    return _Arranging(boxes, [line for line in lines if line.start != line.target]).run()


class _Arranging:
    def __init__(self, boxes: Sequence[Box], lines: Sequence[Line]):
        self.boxes = boxes
        self.lines = lines
        self.turned = _backward(len(boxes), lines)
        self.items: list[_Item] = []
        self.chains: list[list[int]] = []
        self.ranks: list[list[int]] = []

    def run(self) -> tuple[float, float]:
        self._rank()
        self._order()
        self._settle()
        return self._place()

    def _ends(self, number: int) -> tuple[int, int]:
        """The upper and the lower box of a line."""
        line = self.lines[number]
        return (line.target, line.start) if number in self.turned else (line.start, line.target)

    # -- ranks -----------------------------------------------------------------------------------------

    def _rank(self) -> None:
        ranks = _longest(len(self.boxes), [self._ends(number) for number in range(len(self.lines))])
        self.items = [_Item(box.width, box.height, place, None, 2 * ranks[place]) for place, box in enumerate(self.boxes)]  # fmt: skip
        for number, line in enumerate(self.lines):
            upper, lower = self._ends(number)
            first, last = self.items[upper].rank, self.items[lower].rank
            # A label stands right below where its edge begins, where somebody looks for it.
            labelled = last - 1 if number in self.turned else first + 1
            chain = [upper]
            for rank in range(first + 1, last):
                size = (line.label_width, line.label_height) if rank == labelled else (0.0, 0.0)
                chain.append(self._link(chain[-1], _Item(*size, None, number, rank)))
            self._link(chain[-1], lower)
            self.chains.append([*chain, lower])
        count = max((item.rank for item in self.items), default=-1) + 1
        self.ranks = [[] for _ in range(count)]
        for place in self._walk():
            self.ranks[self.items[place].rank].append(place)

    def _link(self, upper: int, lower: _Item | int) -> int:
        if isinstance(lower, _Item):
            self.items.append(lower)
            lower = len(self.items) - 1
        self.items[upper].below.append(lower)
        self.items[lower].above.append(upper)
        return lower

    def _walk(self) -> list[int]:
        """Every item, in the order in which it is come to from the top: a first order with few crossings."""
        seen: dict[int, None] = {}
        for root in range(len(self.items)):
            stack = [root] if not self.items[root].above else []
            while stack:
                place = stack.pop()
                if place not in seen:
                    seen[place] = None
                    stack += reversed(self.items[place].below)
        return list(seen)

    # -- order within the ranks ------------------------------------------------------------------------

    def _order(self) -> None:
        places = {place: at for rank in self.ranks for at, place in enumerate(rank)}
        best, fewest = [list(rank) for rank in self.ranks], self._crossings(places)
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            down = sweep % 2 == 0
            for rank in self.ranks[1:] if down else self.ranks[-2::-1]:
                rank.sort(key=self._barycentre(places, down))
                places.update(zip(rank, range(len(rank)), strict=True))
            crossings = self._crossings(places)
            if crossings < fewest:
                best, fewest = [list(rank) for rank in self.ranks], crossings
        self.ranks = best

    def _barycentre(self, places: dict[int, int], down: bool) -> Callable[[int], float]:
        def key(place: int) -> float:
            near = self.items[place].above if down else self.items[place].below
            return sum(places[other] for other in near) / len(near) if near else places[place]

        return key

    def _crossings(self, places: dict[int, int]) -> int:
        count = 0
        for rank in self.ranks:
            ends: list[int] = []
            for place in rank:
                below = sorted(places[other] for other in self.items[place].below)
                count += sum(len(ends) - bisect_right(ends, target) for target in below)
                for target in below:
                    insort(ends, target)
        return count

    # -- places within the ranks -----------------------------------------------------------------------

    def _settle(self) -> None:
        for rank in self.ranks:
            self._stand(rank, [0.0] * len(rank), [1.0] * len(rank))
        for turn in range(_SETTLINGS):
            down = turn % 2 == 0
            both = turn >= _SETTLINGS // 3
            for rank in self.ranks if down else self.ranks[::-1]:
                wanted, weights = [], []
                for place in rank:
                    at, weight = self._wanted(place, down, both)
                    wanted.append(at)
                    weights.append(weight)
                self._stand(rank, wanted, weights)

    def _wanted(self, place: int, down: bool, both: bool) -> tuple[float, float]:
        item = self.items[place]
        near = [*item.above, *item.below] if both else item.above if down else item.below
        if not near:
            return item.x, 0.1
        pulls = [(self.items[other].x, self._pull(item, self.items[other])) for other in near]
        total = sum(weight for _, weight in pulls)
        return sum(x * weight for x, weight in pulls) / total, total

    def _pull(self, one: _Item, other: _Item) -> float:
        """How much two that are linked want to stand in one line: points of a long edge the most, that is what makes
        it straight, then what only follows from the other."""
        if one.box is None and other.box is None:
            return 8.0
        upper, lower = (one, other) if one.rank < other.rank else (other, one)
        return 4.0 if len(upper.below) == 1 and len(lower.above) == 1 else 1.0

    def _stand(self, rank: list[int], wanted: list[float], weights: list[float]) -> None:
        """The places nearest to those wanted that keep the distances."""
        offsets = [0.0]
        for left, right in pairwise(rank):
            offsets.append(offsets[-1] + self._distance(self.items[left], self.items[right]))
        pools: list[tuple[float, float, int]] = []
        for at, weight, offset in zip(wanted, weights, offsets, strict=True):
            value, count = at - offset, 1
            while pools and pools[-1][0] > value:
                other, other_weight, other_count = pools.pop()
                value = (value * weight + other * other_weight) / (weight + other_weight)
                weight, count = weight + other_weight, count + other_count
            pools.append((value, weight, count))
        values = [value for value, _, count in pools for _ in range(count)]
        for place, value, offset in zip(rank, values, offsets, strict=True):
            self.items[place].x = value + offset

    def _distance(self, left: _Item, right: _Item) -> float:
        gap = BOX_GAP if left.box is not None and right.box is not None else EDGE_GAP
        return (left.width + right.width) / 2 + gap

    # -- coordinates -----------------------------------------------------------------------------------

    def _place(self) -> tuple[float, float]:
        heights = [max((self.items[place].height for place in rank), default=0.0) for rank in self.ranks]
        tops: list[float] = []
        y = 0.0
        for height in heights:
            tops.append(y)
            y += height + RANK_GAP
        left = min((item.x - item.width / 2 for item in self.items), default=0.0)
        right = max((item.x + item.width / 2 for item in self.items), default=0.0)
        for item in self.items:
            item.x -= left
            if item.box is not None:
                box = self.boxes[item.box]
                box.x, box.y = item.x, tops[item.rank] + (heights[item.rank] - box.height) / 2
        for number in range(len(self.lines)):
            self._route(number, tops, heights)
        return right - left, max(0.0, y - RANK_GAP)

    def _route(self, number: int, tops: list[float], heights: list[float]) -> None:
        line = self.lines[number]
        chain = self.chains[number]
        upper, lower = (self.boxes[place] for place in (chain[0], chain[-1]))
        points: list[Point] = [(self._port(chain[0], chain[1], down=True), upper.y + upper.height)]
        for place in chain[1:-1]:
            item = self.items[place]
            top, height = tops[item.rank], heights[item.rank]
            if item.rank % 2 == 0:  # past boxes it goes straight down
                points += [(item.x, top), (item.x, top + height)]
            else:
                points.append((item.x, top + height / 2))
            if item.width:
                line.label = (item.x, top + height / 2)
        points.append((self._port(chain[-1], chain[-2], down=False), lower.y))
        across = [x for x, _ in points]
        if max(across) - min(across) < _STRAIGHT:
            points = [(sum(across) / len(across), y) for _, y in points]
            line.label = (points[0][0], line.label[1])
        line.points = points[::-1] if number in self.turned else points

    def _port(self, box: int, towards: int, down: bool) -> float:
        """Where at the edge of a box a line begins or ends: side by side, in the order of where they come from."""
        item = self.items[box]
        near = sorted(item.below if down else item.above, key=lambda place: self.items[place].x)
        room = max(0.0, item.width - 28)
        step = min(22.0, room / max(1, len(near) - 1))
        return item.x + (near.index(towards) - (len(near) - 1) / 2) * step


def _backward(count: int, lines: Sequence[Line]) -> set[int]:
    """The lines that close a circle when one walks from the first box: they are laid out the other way round."""
    outgoing: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for number, line in enumerate(lines):
        outgoing[line.start].append((number, line.target))
    turned: set[int] = set()
    state = [0] * count
    for root in range(count):
        if state[root]:
            continue
        state[root] = 1
        stack = [(root, iter(outgoing[root]))]
        while stack:
            place, left = stack[-1]
            for number, target in left:
                if state[target] == 1:
                    turned.add(number)
                elif not state[target]:
                    state[target] = 1
                    stack.append((target, iter(outgoing[target])))
                    break
            else:
                state[place] = 2
                stack.pop()
    return turned


def _longest(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """For each box, how many edges the longest way to it has."""
    ranks = [0] * count
    waiting = [0] * count
    outgoing: list[list[int]] = [[] for _ in range(count)]
    for upper, lower in edges:
        outgoing[upper].append(lower)
        waiting[lower] += 1
    ready = [place for place in range(count) if not waiting[place]]
    while ready:
        place = ready.pop()
        for lower in outgoing[place]:
            ranks[lower] = max(ranks[lower], ranks[place] + 1)
            waiting[lower] -= 1
            if not waiting[lower]:
                ready.append(lower)
    return ranks
