"""Random projects for the law that nothing stale is reused: a world of numbers and choices, rendered as source text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random

HELPERS = """
import functools
import threading
import effects
# note $note
C0 = $c0
ORDER = {each: 0 for each in sorted("ab", key=lambda each: ord(each) * (-1) ** $order)}
TABLE = {"x": $table_x, "y": [$table_y, 2]}

def add(x, y, extra=$add_default):
    '''Note $note.'''
    return x + y + extra

def h0(x):
    return (x * $h0 + C0) % 9973

h0.weight = C0 + $weight

def h1(x):
    # note $note
    return h0(x) + $h1

def h2(x):
    from late import last
    return last(x) + TABLE["y"][0]

def h7(x):
    import late
    return late.very_last(x)

def h8(x):
    from late import FROM_FILE
    return x + FROM_FILE

def h9(x):
    import late, plugged
    return late.ENTRIES["plug"](x)

class Locked:
    def __init__(self):
        self.lock = threading.Lock()
        self.held = {}

    def enter(self, weight):
        def keep(function):
            self.held[function.__name__] = [function, weight]
            return function
        return keep

LOCKED = Locked()

def h10(x):
    function, weight = LOCKED.held["entry"]
    return function(x) * weight

def twice(function):
    @functools.wraps(function)
    def inner(x):
        return function(x) * $twice
    return inner

@twice
def h3(x):
    return x + $h3

def make(n):
    def inner(x):
        return x * n + $inner
    return inner

h4 = make($made)
h5 = functools.partial(add, $partial)
h6 = lambda x: x + $lambda_
REGISTRY = {"0": h0, "1": h1, "2": h4}

def by_name(name, x):
    return REGISTRY[name](x)

def pick(params, x):
    return params.a * x + params.sub.v + $pick

def use(model, x):
    return model.apply(x) + $use

def fold(rows, x):
    return functools.reduce(add, rows, x)
"""

LATE = """
from pathlib import Path
from latest import *

FROM_FILE = int(Path(__file__).with_name("late.txt").read_text())
ENTRIES = {}

def enter(function):
    ENTRIES[function.__name__] = function
    return function

def last(x):
    return x + $late
"""

LATEST = """
def very_last(x):
    return x + $latest
"""

FROM_FILE = "$from_file"

PLUGGED = """
from late import enter

@enter
def plug(x):
    return x + $plug
"""

ENTERED = """
import helpers

@helpers.LOCKED.enter($entry_weight)
def entry(x):
    return x + $entry
"""

EFFECTS = """
import string
string.of_the_law = $effect
"""

MODELS = """
import helpers

class Base:
    factor = $factor

    def apply(self, x):
        return (self.value * self.factor + self.tail(x)) % 9973

    def tail(self, x):
        # note $note
        return x + $tail

class Line(Base):
    def __init__(self, value):
        self.value = value * $line

    @staticmethod
    def scale(x):
        return x * $scale

    @property
    def size(self):
        return helpers.h0(self.value)

class Curve(Line):
    def apply(self, x):
        return super().apply(x) + $curve

class Holder:
    def __init__(self, held):
        self.held = held

    def give(self, x):
        return self.held.b * x + $give

class Tool:
    def __init__(self, strength):
        self.strength = strength

    def __repr__(self):
        return f"Tool({self.strength})"

    def work(self, x):
        return self.strength * x + $work
"""

HEAD = """
import dataclasses, functools, pathlib, string
from dataclasses import dataclass, field
import curifactory as cf
from curifactory.caching import Cacheable, JsonCacher, Lazy, PickleCacher
import entered, helpers, models

class OwnCacher(Cacheable):
    extension = ".own"

    def save(self, value):
        with open(self.get_path(), "w") as file:
            file.write(str(value))

    def load(self):
        with open(self.get_path()) as file:
            return int(file.read()) + $own_cacher

def write_file(record, value):
    # Its name says what is in it: of two calls that write to one path, a late reader finds only the last one's file.
    path = record.get_path(f"own{value}.txt")
    pathlib.Path(path).write_text(str(value))
    return path

def keep_file(record, value):
    path = pathlib.Path(record.get_path("kept.txt"))
    before = len(path.read_text()) if path.exists() else 0
    path.write_text(str(value))
    return before * 100 + value

def hand_file(value):
    path = pathlib.Path(f"by_hand_{value}.txt")
    path.write_text(str(value))
    return str(path)

@dataclass
class Sub:
    u: int = $sub_u
    v: int = $sub_v

@dataclass
class Params(cf.ExperimentParameters):
    a: int = $default_a
    b: int = $default_b
    c: int = $default_c
    sub: Sub = field(default_factory=Sub)
    items: list = field(default_factory=lambda: [$items, 2])
    tool: object = None

    def total(self, x):
        return self.a * x + self.sub.u + $total

    @property
    def double(self):
        return self.b * 2 + $double
"""

# What a stage may compute with, besides its inputs. `$k` is a number of the term's own.
TERMS = (
    "record.params.a * $k",
    "record.params.sub.u * $k",
    "record.params.c + $k",
    "getattr(record.params, 'b') * $k",
    "(record.params.b if record.params.a % 2 else record.params.c) + $k",
    "record.params.total($k)",
    "record.params.double * $k",
    "sum(record.params.items) * $k",
    "len(record.params.name) * $k",
    "dataclasses.asdict(record.params.sub)['v'] * $k",
    "len(repr(record.params)) * $k",
    "(record.params.tool.work($k) if record.params.tool else 0)",
    "vars(record.params.sub)['u'] * $k",
    "dataclasses.replace(record.params, a=1).b * $k",
    "helpers.h0(record.params.c + $k)",
    "helpers.h1($k)",
    "helpers.h2($k)",
    "helpers.h3($k)",
    "helpers.h4($k)",
    "helpers.h5($k)",
    "helpers.h6($k)",
    "helpers.h7($k)",
    "helpers.h8($k)",
    "helpers.h9($k)",
    "helpers.h10($k)",
    "helpers.h0.weight * $k",
    "ord(next(iter(helpers.ORDER))) * $k",
    "string.of_the_law * $k",
    "len(type(record.output).__name__) * $k",
    "helpers.C0 * $k",
    "helpers.TABLE['x'] * $k",
    "helpers.pick(record.params, $k)",
    "helpers.by_name(str(record.params.a % 3), $k)",
    "getattr(helpers, 'h%d' % (record.params.a % 5))($k)",
    "models.Line.scale($k)",
    "models.Curve(record.params.b).apply($k)",
    "models.Line($k).size",
    "len(record.state) * $k",
    "('hand' in record.state) * $k",
    "int(record.state.get('hand') or 0) * $k",
    "int(record.state.get('s0_0i') or 0) * $k",
    "len(record.get_reference_name()) * $k",
    "sum(each.params.c for each in record.manager.records) * $k",
    "len(record.manager.records) * $k",
    "record.get_record_index() * $k",
    "len(record.input_records) * $k",
    "keep_file(record, record.params.a + $k)",
)

# What an aggregate may compute with, besides its inputs.
GATHERED = (
    "len(records) * $k",
    "sum(each.params.a for each in records) * $k",
    "sum(place * each.params.b for place, each in enumerate(records, 1)) * $k",
    "sum(len(each.params.name) for each in records) * $k",
    "sum(int(each.state.get('hand') or 0) for each in records) * $k",
    "sum(int(each.state.get('s0_0i') or 0) * place for place, each in enumerate(records, 1)) * $k",
    "sum(helpers.pick(each.params, $k) for each in records)",
    "sum(len(type(each.output).__name__) for each in records) * $k",
    "sum(each.params.total($k) for each in records)",
    "(record.params.a if record.params is not None else 5) * $k",
    "sum(each.index for each in records) * $k",
    "len(records[0].state) * $k if records else 0",
    "records[-1].params.c * $k if records else 0",
)

# How a value of each kind is used. The last letter of an output's name is its kind.
USES = {
    "i": ("{x} * $k", "helpers.h0({x} + $k)", "helpers.add({x}, $k)"),
    "r": ("sum({x}) * $k", "len({x}) * $k", "helpers.fold({x}, $k)"),
    "p": ("int(pathlib.Path({x}).read_text()) * $k",),
    "m": ("{x}.apply($k)", "{x}.value * $k", "helpers.use({x}, $k)", "{x}.size"),
    "l": ("{x}[0].apply($k)", "sum(each.value for each in {x}) * $k"),
    "f": ("{x}($k)",),
    "v": ("{x}.a * $k", "{x}.sub.u * $k", "{x}.total($k)", "len({x}.name)"),
    "h": ("{x}.give($k)", "{x}.held.c * $k"),
}
MAKES = {
    "i": ("({e}) % 9973",),
    "r": ("[({e}) % 9973, $k]", "list(range(({e}) % 7))"),
    "p": ("write_file(record, ({e}) % 9973)",),
    "m": ("models.Line(({e}) % 9973)", "models.Curve(({e}) % 9973)"),
    "l": ("[models.Line(({e}) % 9973)]", "[models.Curve(({e}) % 9973), models.Line($k)]"),
    "f": ("helpers.h1", "functools.partial(helpers.add, ({e}) % 9973)", "models.Line(({e}) % 9973).apply"),
    "v": ("record.params",),
    "h": ("models.Holder(record.params)",),
}
CACHERS = {
    "i": ("JsonCacher", "PickleCacher", "OwnCacher", "None"),
    "r": ("JsonCacher", "PickleCacher", "None"),
    "p": ("JsonCacher", "None"),
    "m": ("PickleCacher", "PickleCacher", "None"),
    "l": ("PickleCacher", "None"),
    "f": ("PickleCacher", "None"),
    "v": ("None", "PickleCacher"),
    "h": ("None", "PickleCacher"),
}
SMALL = range(1, 5)


@dataclass
class Term:
    """A piece of an expression and its number."""

    text: str
    k: int

    def render(self) -> str:
        return self.text.replace("$k", str(self.k))


@dataclass
class Output:
    """An output of a stage."""

    name: str
    cacher: str
    make: Term
    lazy: bool = False

    @property
    def kind(self) -> str:
        return self.name[-1]

    def declare(self) -> str:
        return f"Lazy({self.name!r})" if self.lazy and self.cacher != "None" else repr(self.name)


@dataclass
class Stage:
    """A stage or an aggregate."""

    name: str
    inputs: list[str]
    outputs: list[Output]
    terms: list[Term]
    uses: dict[str, Term]
    aggregate: bool = False
    note: int = 0

    def render(self) -> str:
        pieces = [term.render() for term in self.terms]
        for name in self.inputs:
            use = self.uses[name].render()
            pieces.append(
                f"sum({use.replace('{x}', 'each')} for each in {name}.values())"
                if self.aggregate
                else use.replace("{x}", name)
            )
        made = [output.make.render().replace("{e}", " + ".join(pieces) or "0") for output in self.outputs]
        word, arguments = ("aggregate", "record, records") if self.aggregate else ("stage", "record")
        outputs = ", ".join(each.declare() for each in self.outputs)
        cachers = ", ".join(each.cacher for each in self.outputs)
        return "\n".join(
            [
                f"@cf.{word}(inputs={self.inputs!r}, outputs=[{outputs}], cachers=[{cachers}])",
                f"def {self.name}({', '.join([arguments, *self.inputs])}):",
                f"    # note {self.note}",
                f"    return {', '.join(made)}",
                "",
            ]
        )


@dataclass
class Act:
    """One thing that run() does with each record, or with those of some sets only."""

    kind: str
    name: str = ""
    k: int = 1
    only: int | None = None
    overrides: dict[str, int] = field(default_factory=dict)


@dataclass
class ParameterSet:
    """A parameter set; fields that are not in ``values`` have their defaults."""

    name: str
    values: dict[str, str]

    def render(self) -> str:
        arguments = [f"name={self.name!r}", *(f"{name}={value}" for name, value in self.values.items())]
        return f"Params({', '.join(arguments)})"


@dataclass
class World:
    """A whole project at one moment."""

    numbers: dict[str, int]
    stages: list[Stage]
    acts: list[Act]
    sets: list[ParameterSet]
    gathering: str = "None"

    def stage(self, name: str) -> Stage:
        return next(stage for stage in self.stages if stage.name == name)

    @property
    def loads_differently(self) -> bool:
        """Whether a value that is loaded is another than the one that was saved."""
        return any(output.cacher == "OwnCacher" for stage in self.stages for output in stage.outputs)

    @property
    def writes_files(self) -> bool:
        """Whether a stage writes files by itself, which a run without cache would do in the same place."""
        return any("_file(" in stage.render() for stage in self.stages)

    def files(self) -> dict[str, str]:
        """Return the project's files: path to text."""
        body = [self._fill(HEAD), *(stage.render() for stage in self.stages)]
        sets = ", ".join(each.render() for each in self.sets)
        body.append(f"def get_params():\n    return [{sets}]\n")
        body.append(self._render_run())
        return {
            "helpers.py": self._fill(HELPERS),
            "late.py": self._fill(LATE),
            "latest.py": self._fill(LATEST),
            "late.txt": self._fill(FROM_FILE),
            "plugged.py": self._fill(PLUGGED),
            "entered.py": self._fill(ENTERED),
            "effects.py": self._fill(EFFECTS),
            "models.py": self._fill(MODELS),
            "experiments/case.py": "\n".join(body),
        }

    def called(self) -> set[str]:
        """Return the names of the stages that run() calls."""
        return set(re.findall(r"\b([sa]\d)\(", self._render_run()))

    def _fill(self, text: str) -> str:
        return re.sub(r"\$([a-z_]\w*)", lambda found: str(self.numbers[found[1]]), text)

    def _render_run(self) -> str:
        lines = ["def run(param_sets, manager):", "    seen, kept = [], []"]
        for position in range(len(self.sets)):
            lines += ["", f"    p = param_sets[{position}]", "    record = cf.Record(manager, p)"]
            known: set[str] = set()
            for act in self.acts:
                if act.only is None or act.only == position:
                    lines += [f"    {line}" for line in self._render_act(act, known)]
            lines.append("    kept.append(record)")
        lines += ["", "    over = cf.Record(manager, param_sets[0])"]
        lines.append(f"    kept = {self.gathering}")
        for stage in self.stages:
            if stage.aggregate:
                lines.append(f"    {stage.name}(over, kept)")
        lines.append("    return seen")
        return "\n".join(lines) + "\n"

    def _render_act(self, act: Act, known: set[str]) -> list[str]:
        if act.kind in ("call", "try"):
            stage = self.stage(act.name)
            overrides = {
                name: k for name, k in act.overrides.items() if name in stage.inputs and name[-1] == "i"
            }
            if not all(name in known or name in overrides for name in stage.inputs):
                return []
            known.update(output.name for output in stage.outputs)
            given = "".join(f", {name}={k}" for name, k in overrides.items())
            call = f"{stage.name}(record{given})"
            return [call] if act.kind == "call" else ["try:", f"    {call}", "finally:", "    pass"]
        if act.kind == "hand":
            known.add(act.name)
            return [f"record.state[{act.name!r}] = {HANDS[act.name[-1]].replace('$k', str(act.k))}"]
        if act.kind == "copy":
            return [
                f"record = record.make_copy(dataclasses.replace(p, a=p.a + {act.k}))"
                if act.k % 2
                else "record = record.make_copy()"
            ]
        if act.name not in known:
            return []
        if act.kind == "change":
            return [f"record.state[{act.name!r}].append({act.k})"] if act.name[-1] == "r" else []
        return [f"seen.append(record.state[{act.name!r}])"]


HANDS = {
    "d": "$k",
    "i": "$k",
    "r": "[$k, 2]",
    "p": "hand_file($k)",
    "m": "models.Line($k)",
    "l": "[models.Curve($k)]",
    "f": "helpers.h4",
    "v": "p",
    "h": "models.Holder(p)",
}


def make_world(random: Random) -> World:
    """Make a random project."""
    text = HELPERS + LATE + LATEST + FROM_FILE + PLUGGED + ENTERED + EFFECTS + MODELS + HEAD
    names = sorted(set(re.findall(r"\$([a-z_]\w*)", text)))
    numbers = {name: random.choice(SMALL) for name in names}
    stages: list[Stage] = []
    made: list[str] = []
    for position in range(random.randint(2, 4)):
        stage = _make_stage(random, f"s{position}", made)
        stages.append(stage)
        made += [output.name for output in stage.outputs]
    for position in range(random.randint(1, 2)):
        stages.append(_make_aggregate(random, f"a{position}", made))
    acts = [Act("call", stage.name) for stage in stages if not stage.aggregate]
    world = World(numbers, stages, acts, [_make_set(random, name) for name in "pqr"[: random.randint(1, 3)]])
    for _ in range(random.randint(0, 3)):
        add_act(world, random)
    return world


def _make_stage(random: Random, name: str, made: list[str]) -> Stage:
    kinds = ["i"] if name == "s0" else [random.choice("iiirrmmmlfvhp")]
    if random.random() < 0.3:
        kinds.append(random.choice("irm"))
    inputs = sorted(random.sample(made, min(len(made), random.randint(1, 2)))) if made else []
    outputs = [
        Output(
            f"{name}_{place}{kind}",
            random.choice(CACHERS[kind]),
            Term(random.choice(MAKES[kind]), random.choice(SMALL)),
            lazy=random.random() < 0.2,
        )
        for place, kind in enumerate(kinds)
    ]
    return Stage(name, inputs, outputs, _make_terms(random, TERMS, 2), _make_uses(random, inputs))


def _make_aggregate(random: Random, name: str, made: list[str]) -> Stage:
    inputs = sorted(random.sample(made, random.randint(0, min(2, len(made)))))
    output = Output(f"{name}_0i", random.choice(("JsonCacher", "JsonCacher", "None")), Term(MAKES["i"][0], 1))
    return Stage(
        name, inputs, [output], _make_terms(random, GATHERED, 2), _make_uses(random, inputs), aggregate=True
    )


def _make_terms(random: Random, among: tuple[str, ...], most: int) -> list[Term]:
    return [Term(random.choice(among), random.choice(SMALL)) for _ in range(random.randint(1, most))]


def _make_uses(random: Random, names: list[str]) -> dict[str, Term]:
    return {name: Term(random.choice(USES[name[-1]]), random.choice(SMALL)) for name in names}


def _make_set(random: Random, name: str) -> ParameterSet:
    values = {}
    for field_name in ("a", "b", "c"):
        if random.random() < 0.5:
            values[field_name] = str(random.choice(SMALL))
    return ParameterSet(name, values)


def add_act(world: World, random: Random) -> None:
    """Put one more act into run()."""
    outputs = [output.name for stage in world.stages if not stage.aggregate for output in stage.outputs]
    only = random.choice([None, None, 0, 1])
    kind = random.choice(["read", "change", "hand", "copy", "again", "try", "hand"])
    k = random.choice(SMALL)
    if kind in ("again", "try"):
        stage = random.choice([stage for stage in world.stages if not stage.aggregate])
        overrides = {name: k for name in stage.inputs if name[-1] == "i" and random.random() < 0.6}
        act = Act("call" if kind == "again" else "try", stage.name, k, only, overrides)
    elif kind == "hand":
        act = Act(kind, random.choice(["hand", *outputs]), k, only)
    else:
        act = Act(kind, random.choice(outputs), k, only)
    world.acts.insert(random.randint(0, len(world.acts)), act)


# ----------------------------------------------------------------------------------------------------------------- edits


def edit_number(world: World, random: Random) -> str:
    name = random.choice(sorted(world.numbers))
    world.numbers[name] = random.choice(SMALL)
    return f"{name} = {world.numbers[name]}"


def edit_note(world: World, random: Random) -> str:
    world.numbers["note"] += 1
    random.choice(world.stages).note += 1
    return "comments"


def edit_value(world: World, random: Random) -> str:
    each = random.choice(world.sets)
    name = random.choice(["a", "b", "c", "sub", "items", "tool"])
    k = random.choice(SMALL)
    values = {"sub": f"Sub(u={k})", "items": f"[{k}]", "tool": f"models.Tool({k})"}
    each.values[name] = values.get(name, str(k))
    return f"{each.name}.{name} = {each.values[name]}"


def edit_name(world: World, random: Random) -> str:
    each = random.choice(world.sets)
    taken = {other.name for other in world.sets}
    each.name = next(
        name for name in random.sample(["p", "q", "r", "long", "longer"], 5) if name not in taken
    )
    return f"a set is now {each.name}"


def edit_sets(world: World, random: Random) -> str:
    what = random.choice(["more", "fewer", "order"])
    if what == "more" and len(world.sets) < 4:
        taken = {other.name for other in world.sets}
        world.sets.append(
            _make_set(random, next(name for name in ("p", "q", "r", "new", "newer") if name not in taken))
        )
    elif what == "fewer" and len(world.sets) > 1:
        world.sets.pop(random.randrange(len(world.sets)))
    else:
        random.shuffle(world.sets)
    return f"{what} sets: {[each.name for each in world.sets]}"


def edit_term(world: World, random: Random) -> str:
    stage = random.choice(world.stages)
    term = random.choice([*stage.terms, *stage.uses.values(), *(output.make for output in stage.outputs)])
    term.k = random.choice(SMALL)
    return f"{stage.name}: {term.render()}"


def edit_terms(world: World, random: Random) -> str:
    stage = random.choice(world.stages)
    among = GATHERED if stage.aggregate else TERMS
    if len(stage.terms) > 1 and random.random() < 0.4:
        stage.terms.pop(random.randrange(len(stage.terms)))
    elif random.random() < 0.5:
        stage.terms[0] = Term(random.choice(among), random.choice(SMALL))
    else:
        stage.terms.append(Term(random.choice(among), random.choice(SMALL)))
    return f"{stage.name}: {' + '.join(term.render() for term in stage.terms)}"


def edit_use(world: World, random: Random) -> str:
    stage = random.choice(world.stages)
    stage.uses = _make_uses(random, stage.inputs)
    return f"{stage.name} uses {stage.uses}"


def edit_output(world: World, random: Random) -> str:
    output = random.choice(random.choice(world.stages).outputs)
    if random.random() < 0.3:
        output.lazy = not output.lazy
    elif random.random() < 0.5:
        output.make = Term(random.choice(MAKES[output.kind]), random.choice(SMALL))
    else:
        output.cacher = random.choice(CACHERS[output.kind])
    return f"{output}"


def edit_acts(world: World, random: Random) -> str:
    what = random.choice(["add", "add", "remove", "swap", "override"])
    if what == "remove" and len(world.acts) > 1:
        world.acts.pop(random.randrange(len(world.acts)))
    elif what == "swap" and len(world.acts) > 1:
        one, other = random.sample(range(len(world.acts)), 2)
        world.acts[one], world.acts[other] = world.acts[other], world.acts[one]
    elif what == "override":
        calls = [act for act in world.acts if act.kind in ("call", "try")]
        if calls:
            act = random.choice(calls)
            names = [name for name in world.stage(act.name).inputs if name[-1] == "i"]
            act.overrides = {name: random.choice(SMALL) for name in names if random.random() < 0.7}
    else:
        add_act(world, random)
    return f"run(): {what}"


def edit_gathering(world: World, random: Random) -> str:
    world.gathering = random.choice(["None", "kept", "kept[::-1]", "kept[:1]", "[]"])
    return f"aggregates take {world.gathering}"


def edit_order(world: World, random: Random) -> str:
    random.shuffle(world.stages)
    return "order of the definitions"


EDITS = (
    edit_number,
    edit_number,
    edit_number,
    edit_note,
    edit_value,
    edit_value,
    edit_name,
    edit_sets,
    edit_term,
    edit_terms,
    edit_use,
    edit_output,
    edit_acts,
    edit_acts,
    edit_gathering,
    edit_order,
)
