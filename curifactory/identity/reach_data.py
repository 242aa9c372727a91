"""The constants and other objects that code reads from modules and closures: by value, else by what binds them."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable
from types import CellType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from curifactory.identity.code_scan import Use
from curifactory.identity.dispatch import new_walk
from curifactory.identity.encoding import Refusal, encode
from curifactory.identity.ledger import MISSING
from curifactory.identity.module_index import index_of
from curifactory.identity.module_texts import absolute_name, package_of
from curifactory.identity.normal_form import NormalForm, chains_in
from curifactory.identity.source import unknown_text
from curifactory.identity.unidentified import code_inside, known_parts

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

ATOMS = (int, float, complex, str, bytes, type(None), FunctionType, type, ModuleType)
_BIG_BYTES = 1_000_000

# Digests of big objects, each taken once; the objects are kept, so that their ids stay theirs.
_big: dict[int, tuple[Any, str]] = {}
# Globals that a stage has changed: namespace, object, and the digest that the object had before.
_held: dict[tuple[int, str], tuple[dict[str, Any], Any, str]] = {}
# Globals of notebooks that code changes, by namespace and name: the object, and the digest that it had when it was new.
_bound: dict[tuple[int, str], tuple[Any, str]] = {}
# Variables of closures that their functions change, by id: the cell and what stands for its first content.
_cells: dict[int, tuple[CellType, str]] = {}


class _Slot:
    """One global of the project that code reads."""

    __slots__ = (
        "digest",
        "entered_as",
        "has_order",
        "has_text",
        "is_whole",
        "label",
        "name",
        "namespace",
        "owner",
        "value",
    )

    def __init__(self, namespace: dict[str, Any], name: str) -> None:
        self.namespace = namespace
        self.name = name
        self.value = namespace[name]
        self.label = ""
        self.digest: str | None = None
        self.entered_as = ""
        #: The function that it is an attribute of.
        self.owner: FunctionType | None = None
        #: Whether there are dictionaries in it, whose order the digest does not tell.
        self.has_order = False
        #: Whether there is a text that tells how it was made: there is none of a notebook and a prompt.
        self.has_text = True
        #: Whether the digest is that of the whole value, not of some of its parts.
        self.is_whole = True


class DataVisitor:
    """Digests what code reads that is not code itself."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._slots: dict[tuple[int, str], _Slot] = {}
        self._memos: set[tuple[int, str]] = set()
        self._answers: dict[int, tuple[Any, str | None]] = {}
        self._values: list[tuple[Any, str, bool]] = []
        self._with_code: dict[int, Any] = {}
        self._looked_into: dict[int, Any] = {}
        self._met_code = 0
        self._met_order = False

    # ----------------------------------------------------------------------------------------------------- globals

    def label(self, namespace: dict[str, Any], name: str) -> str:
        """Name a global, and visit it; one that was imported is named after the module that it comes from."""
        namespace, name = self._home(namespace, name)
        key = (id(namespace), name)
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = _Slot(namespace, name)
            wanted = f"{self._reach.modules.label(namespace)}.{name}"
            if self._is_decorated(namespace, name):
                # The function has the plain name.
                wanted += " (decorated)"
            slot.label, _ = self._reach.ledger.label(slot, wanted)
            self._reach.ledger.watch_name(namespace, name)
            self._reach.later(lambda: self._visit(slot))
        return slot.label

    def attribute(self, function: FunctionType, name: str, owner: str) -> None:
        """Visit an attribute of a function."""
        slot = self._slots[id(function.__dict__), name] = _Slot(function.__dict__, name)
        slot.owner = function
        slot.label, _ = self._reach.ledger.label(slot, f"{owner}.{name}")
        self._reach.ledger.watch_name(function.__dict__, name)
        self._reach.later(lambda: self._visit(slot))

    def mark_memo(self, namespace: dict[str, Any], name: str) -> None:
        """Note that code which is reached changes a global."""
        if name in namespace:
            namespace, name = self._home(namespace, name)
            self._memos.add((id(namespace), name))

    def settle(self) -> None:
        """Enter all globals: by value, or by what binds them if they have no identity or are changed on the way."""
        for key, slot in list(self._slots.items()):
            by_value = "memo" if key in self._memos and not self.holds_code(slot.value) else "value"
            wanted = "binding" if slot.digest is None else by_value
            if slot.entered_as == wanted:
                continue
            slot.entered_as = wanted
            if wanted == "memo" and slot.owner is not None:
                # It is not there before the function was called for the first time.
                self._reach.ledger.drop(slot.label)
                continue
            content = [slot.digest or "", *self._order(slot)] if wanted == "value" else self._binding(slot)
            if wanted == "memo":
                self._reach.ledger.note(
                    f"{slot.label} is changed by the code that reads it: it counts by what binds it, not by its value."
                )
            self._reach.ledger.put(slot.label, content, self._place(slot))

    def places_told_by_text(self) -> set[tuple[str, str]]:
        """Return file and name of the globals that do not count by their values."""
        sources = (
            (self._reach.modules.source_of(slot.namespace), slot.name)
            for slot in self._slots.values()
            if slot.entered_as in {"binding", "memo"}
        )
        return {(source.filename, name) for source, name in sources if source is not None}

    def watch_values(self) -> None:
        """Have the values that can be changed in place looked at again."""
        watched = [
            self._watch_slot(slot, slot.digest)
            for slot in self._slots.values()
            if slot.entered_as == "value"
            and slot.digest is not None
            and self._find_held(slot) is None
            and self._may_change(slot.value)
        ]
        watched += [
            self._watch(value, digest, is_ordered=is_ordered)
            for value, digest, is_ordered in self._values
            if self._may_change(value)
        ]
        self._reach.ledger.watches.extend(watched)

    def _may_change(self, value: Any) -> bool:
        return not _is_fixed(value) and id(value) not in _big

    def _watch_slot(self, slot: _Slot, digest: str) -> Callable[[], bool]:
        if slot.is_whole:
            return self._watch(slot.value, digest, is_ordered=not slot.has_text)
        value, answer = slot.value, self._known_answer()
        return lambda: self._digest_parts(value, answer) == digest

    def hold_changed(self) -> list[str]:
        """Go on counting the globals whose values have changed by the digests that they had; return their labels."""
        changed = []
        for slot in self._slots.values():
            if slot.entered_as != "value" or slot.digest is None:
                continue
            bound = slot.namespace.get(slot.name, MISSING)
            if slot.owner is not None and bound is not slot.value:
                # A function counts on itself, under a name that its text does not show.
                _held[id(slot.namespace), slot.name] = (slot.namespace, bound, slot.digest)
                changed.append(slot.label)
                continue
            if isinstance(slot.value, ATOMS):
                continue
            if id(slot.value) not in _big and not self._watch_slot(slot, slot.digest)():
                _held[id(slot.namespace), slot.name] = (slot.namespace, slot.value, slot.digest)
                changed.append(slot.label)
        return changed

    def holds_code(self, value: Any) -> bool:
        """Whether functions or classes of the project were met in a value when it was digested."""
        return id(value) in self._with_code

    def _visit(self, slot: _Slot) -> None:
        slot.has_text = self._reach.modules.source_of(slot.namespace) is not None or slot.owner is not None
        slot.digest = self._digest(slot.value, is_ordered=not slot.has_text)
        slot.has_order = self._met_order
        if slot.digest is None and not slot.has_text:
            met = self._met_code
            slot.digest, slot.is_whole = self._digest_parts(slot.value), False
            if self._met_code != met:
                self._with_code[id(slot.value)] = slot.value
        held = self._find_held(slot)
        if held is not None and slot.digest is not None:
            slot.digest = held
        # Asked for now, so that what its statements mention is visited too.
        if slot.digest is None:
            self._binding(slot)
        else:
            self._order(slot)

    def _find_held(self, slot: _Slot) -> str | None:
        held = _held.get((id(slot.namespace), slot.name))
        # A reload binds another object, which nobody has changed yet.
        return held[2] if held is not None and held[1] is slot.value else None

    def _home(self, namespace: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
        """Find the module in which a global was made, as far as the imports tell."""
        for _ in range(8):
            source = self._reach.modules.source_of(namespace)
            origin = index_of(source).origin(name) if source is not None else None
            if origin is None:
                break
            module = sys.modules.get(absolute_name(origin[0], origin[1], package_of(namespace)))
            if module is None or not self._reach.scope.contains(module):
                break
            if module.__dict__.get(origin[2], MISSING) is not namespace[name]:
                break
            namespace, name = module.__dict__, origin[2]
        return namespace, name

    def _binding(self, slot: _Slot) -> list[str]:
        content = [self.by_type(slot.value), *self._told_by_text(slot)]
        if not slot.has_text and not isinstance(slot.value, ATOMS):
            content.append(_as_bound(slot))
        source = self._reach.modules.source_of(slot.namespace)
        if source is not None and not source.is_as_imported(slot.namespace):
            content.append(unknown_text(slot.namespace))
        return content

    def _order(self, slot: _Slot) -> list[str]:
        """Say in which order the dictionaries of a global are: by the text that makes it, and by the names of its code."""
        if not slot.has_order:
            return []
        if self.holds_code(slot.value) and isinstance(slot.value, dict):
            # A registry that decorators fill has the order of what they decorate.
            return [self._digest(list(slot.value)) or ""]
        return self._told_by_text(slot)

    def _told_by_text(self, slot: _Slot) -> list[str]:
        """Say what the statements are that make and fill a global, and visit what they mention and read."""
        source = self._reach.modules.source_of(slot.namespace)
        statements = index_of(source).told(slot.name) if source is not None else []
        content = [NormalForm().write(*statements)]
        content += [
            self._reach.use(slot.namespace, Use(chain))
            for chain in chains_in(*statements)
            if chain[0] in slot.namespace and chain[0] != slot.name
        ]
        if source is not None:
            name = str(slot.namespace.get("__name__"))
            content += self._reach.files.read_by(statements, source, name)
        return content

    def _is_decorated(self, namespace: dict[str, Any], name: str) -> bool:
        source = self._reach.modules.source_of(namespace)
        statements = index_of(source).bindings.get(name) if source is not None else None
        return statements is not None and isinstance(
            statements[0], (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        )

    def _place(self, slot: _Slot) -> str:
        source = self._reach.modules.source_of(slot.namespace)
        if source is None:
            return ""
        return self._reach.modules.place(source.filename, index_of(source).line(slot.name))

    # ------------------------------------------------------------------------------------------------------ values

    def value(self, value: Any, *, is_memo: bool = False) -> str:
        """Return what stands for a value that belongs to a function or class: its digest, else its type."""
        if is_memo and not isinstance(value, ATOMS):
            return f"memo {self.by_type(value)}"
        digest = self._digest(value, is_ordered=True)
        if digest is None:
            return self.by_type(value)
        self._values.append((value, digest, True))
        return digest

    def first_value(self, cell: CellType, value: Any) -> str:
        """Return what stands for a closure's variable that the function itself changes: what it held when it was first seen.

        Of anything but an atom that is its type, as of other memos.
        """
        if not isinstance(value, ATOMS):
            return "empty" if value is MISSING else self.value(value, is_memo=True)
        if id(cell) not in _cells:
            _cells[id(cell)] = (cell, self.value(value))
        return _cells[id(cell)][1]

    def declared(self, value: Any) -> str | None:
        """Return the digest of a value that a stage says it depends on; None if it has none."""
        digest = self._digest(value)
        if digest is not None:
            self._values.append((value, digest, False))
        return digest

    def by_type(self, value: Any) -> str:
        """Return what stands for a value without identity: its class, and the project's code in it, which is visited."""
        cls = type(value)
        kind = f"of type {cls.__module__}:{cls.__qualname__} {self._reach.label_of(cls) or ''}"
        found = code_inside(value, self._reach.label_of)
        if found and id(value) not in self._looked_into:
            self._looked_into[id(value)] = value
            label_of = self._reach.ledger.find_label
            known = code_inside(value, label_of)
            self._reach.ledger.watches.append(lambda: code_inside(value, label_of) == known)
        return " ".join([kind, *found])

    def _digest(self, value: Any, *, is_ordered: bool = False) -> str | None:
        known = _big.get(id(value))
        self._met_order = False
        if known is not None:
            return known[1]
        met = self._met_code
        walk = new_walk(self._answer, self._reach.scope, root=self._reach.scope.root_path)
        walk.names_sets, walk.is_ordered = True, is_ordered
        try:
            digest = hashlib.sha256(encode(value, walk)).hexdigest()
        except (Refusal, RecursionError):
            return None
        self._met_order = walk.has_order
        if self._met_code != met:
            self._with_code[id(value)] = value
        elif walk.buffered > _BIG_BYTES:
            _big[id(value)] = (value, digest)
        return digest

    def _answer(self, thing: Any) -> str | None:
        label = self._reach.label_of(thing)
        self._met_code += label is not None
        self._answers[id(thing)] = (thing, label)
        return label

    def _digest_parts(self, value: Any, answer: Callable[[Any], str | None] | None = None) -> str:
        """Return the digest of those parts of a value that have one."""
        scope, found = self._reach.scope, answer or self._answer

        def digest_of(part: Any) -> str | None:
            walk = new_walk(found, scope, root=scope.root_path)
            walk.names_sets = walk.is_ordered = True
            try:
                return hashlib.sha256(encode(part, walk)).hexdigest()
            except (Refusal, RecursionError):
                return None

        told = known_parts(value, digest_of, lambda cls: found(cls) is not None)
        return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()

    def _known_answer(self) -> Callable[[Any], str | None]:
        answers = self._answers

        def answer(thing: Any) -> str | None:
            known = answers.get(id(thing))
            return "never seen" if known is None else known[1]

        return answer

    def _watch(self, value: Any, digest: str, *, is_ordered: bool) -> Callable[[], bool]:
        scope, answer = self._reach.scope, self._known_answer()

        def is_same() -> bool:
            walk = new_walk(answer, scope, root=scope.root_path)
            walk.names_sets, walk.is_ordered = True, is_ordered
            try:
                return hashlib.sha256(encode(value, walk)).hexdigest() == digest
            except (Refusal, RecursionError):
                return False

        return is_same


def _as_bound(slot: _Slot) -> str:
    """Return the digest that a global of a notebook had when it was first seen; binding it anew gives it another one."""
    key = id(slot.namespace), slot.name
    if key not in _bound or _bound[key][0] is not slot.value:
        _bound[key] = (slot.value, slot.digest or "")
    return _bound[key][1]


def _is_fixed(value: Any) -> bool:
    """Whether a value and all that is in it can never be changed in place."""
    if type(value) is tuple or type(value) is frozenset:
        return all(map(_is_fixed, value))
    return isinstance(value, ATOMS)
