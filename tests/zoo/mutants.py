"""Right parts of the zoo with one change each, and how many the checker notices: `python -m tests.zoo.mutants --share 0.2`.

A mutant is a right part in which an operator is swapped, an argument or a weight dropped, an axis or a number moved, a
gradient cut or a state left stale. Those that compute the same as the part are left out. Prints a table for docs/checks.md,
and which checks noticed how many, and how many that no other check did.
"""

import argparse
import ast
import collections
import copy
import functools
import importlib.util
import os
import pathlib
import random
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("OMP_NUM_THREADS", "1")

FOLDER = pathlib.Path(__file__).parent / "clean"
MODULES = (
    "losses_values",
    "losses_shapes",
    "strangers_losses",
    "metrics_unusual",
    "metrics_classification",
    "strangers_metrics",
    "layers_numbers",
    "layers_state",
    "layers_structures",
    "strangers_layers",
)
ALL = 300
# A new process for each would take most of the time, and a mutation of `call` does not show there.
IGNORED = ["X108", "S"]
SECONDS = 20.0
_OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
_COMPARISONS = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE, ast.Eq: ast.NotEq}
# Only what computes is changed: a constructor or a config has questions of its own.
_METHODS = ("call", "update_state", "result", "reset_state", "build")


def _swapped(node):
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        node.op = _OPERATORS[type(node.op)]()
        return node
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        node.ops[0] = _COMPARISONS[type(node.ops[0])]()
        return node
    return None


def _without_argument(node):
    if not isinstance(node, ast.Call) or not node.keywords or node.keywords[-1].arg in (None, "name", "shape", "initializer"):
        return None
    node.keywords = node.keywords[:-1]
    return node


def _without_weight(node):
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if "weight" in ast.unparse(side) or ast.unparse(side) in ("w", "weights"):
                return other
    return None


def _detached(node):
    if isinstance(node, ast.Name) and node.id in ("y_pred", "inputs") and isinstance(node.ctx, ast.Load):
        return ast.parse(f"ops.stop_gradient({node.id})", mode="eval").body
    return None


def _other_axis(node):
    if not isinstance(node, ast.keyword) or node.arg != "axis":
        return None
    old = ast.unparse(node.value)
    if old in ("-1", "0", "1", "(1, 2, 3)", "(1, 2)"):
        node.value = ast.parse(
            {"-1": "0", "0": "-1", "1": "0", "(1, 2, 3)": "(0, 1, 2)", "(1, 2)": "(0, 1)"}[old], mode="eval"
        ).body
        return node
    return None


def _off_by_one(node):
    if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value not in (0, -1):
        node.value = node.value + 1
        return node
    return None


def _stale(node):
    called = getattr(getattr(node, "value", None), "func", None) if isinstance(node, ast.Expr) else None
    return ast.Pass() if str(getattr(called, "attr", "")).startswith(("assign", "add", "reset_state")) else None


KINDS = {
    "swap an operator": _swapped,
    "drop an argument": _without_argument,
    "drop a weight": _without_weight,
    "detach": _detached,
    "wrong axis": _other_axis,
    "off by one": _off_by_one,
    "stale state": _stale,
}


class _Change(ast.NodeTransformer):
    """Changes the node at one place of those that a function changes."""

    def __init__(self, function, place):
        self.function, self.place, self.seen = function, place, -1

    def visit(self, node):
        if self.seen < self.place:
            changed = self.function(copy.deepcopy(node))
            if changed is not None:
                self.seen += 1
                if self.seen == self.place:
                    return changed
        return self.generic_visit(node) or node


def mutants_of(tree):
    """[(name of the part, kind, function that gives the text)] of every mutant of the parts of a module's syntax tree."""
    found = []
    for index, part in enumerate(tree.body):
        if not isinstance(part, (ast.ClassDef, ast.FunctionDef)) or not part.decorator_list:
            continue
        methods = [part]
        if isinstance(part, ast.ClassDef):
            methods = [one for one in part.body if isinstance(one, ast.FunctionDef) and one.name in _METHODS]
        for one in methods:
            for kind, function in KINDS.items():
                change = _Change(function, 1000)
                for statement in one.body:
                    change.visit(copy.deepcopy(statement))
                write = functools.partial(_written, tree, index, one, function)
                found += [(part.name, kind, functools.partial(write, place)) for place in range(change.seen + 1)]
    return found


def _written(tree, index, method, function, place):
    change = _Change(function, place)
    changed = copy.copy(method)
    changed.body = [change.visit(copy.deepcopy(statement)) for statement in method.body]
    part = tree.body[index]
    if method is not part:
        part = copy.copy(part)
        part.body = [changed if one is method else one for one in part.body]
    else:
        part = changed
    module = ast.Module([*tree.body[:index], part, *tree.body[index + 1 :]], [])
    return ast.unparse(ast.fix_missing_locations(module))


def chosen(share, seed=7):
    """[(module, name, kind, text)]: of all mutants of the zoo `ALL` by chance, and of these a share, each kind alike."""
    rng, of_kind = random.Random(seed), collections.defaultdict(list)
    for module in MODULES:
        for name, kind, write in mutants_of(ast.parse((FOLDER / f"{module}.py").read_text())):
            of_kind[kind].append((module, name, kind, write))
    some = []
    for kind in KINDS:
        rng.shuffle(of_kind[kind])
        some += of_kind[kind][: max(1, round(share * ALL / len(KINDS)))]
    return [(module, name, kind, write()) for module, name, kind, write in some]


def _entry(module, name, text, folder, number):
    """The entry of a part in a module of its own, under a name that no other one has."""
    path = pathlib.Path(folder) / f"mutant_{number}_{module}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    made = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = made
    spec.loader.exec_module(made)
    return next(entry for entry in made.RIGHT if getattr(entry.component, "__name__", "") == name)


def _asked(entry):
    """({id: severity}, numbers or None): errors and warnings of a part; its values and, where it has one, its gradient."""
    import keras
    import numpy as np

    from kerasmith.checks.engine.examination import Examination
    from tests.zoo.examine import subject_of_entry

    examination = Examination(subject_of_entry(entry), like=entry.like, contract=entry.contract, ignore=IGNORED)
    found = {
        record.id: record.finding.severity
        for record in examination.records(lambda: SECONDS)
        if record.finding is not None and record.finding.severity != "note"
    }
    case = examination.case
    try:
        numbers = case.outputs(case.make())
        if case.kind == "loss":
            return found, numbers + [np.zeros(1) if part is None else part for part in keras.tree.flatten(case.slope[1])]
        if case.kind == "layer":
            _, by_inputs, by_weights = case.gradients(case.prepared(), case.inputs)
            return found, numbers + [np.zeros(1) if part is None else part for part in [*by_inputs, *by_weights]]
        return found, numbers
    except Exception:
        return found, None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0, help=f"of {ALL} mutants")
    options = parser.parse_args()
    from kerasmith.checks.engine.comparison import differ

    originals, counts, kills, alone = {}, collections.defaultdict(lambda: [0, 0]), collections.Counter(), collections.Counter()
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (module, name, kind, text) in enumerate(chosen(options.share)):
            try:
                if (module, name) not in originals:
                    whole = (FOLDER / f"{module}.py").read_text()
                    originals[module, name] = _asked(_entry(module, name, whole, folder, f"{number}_whole"))
                before, numbers = originals[module, name]
                after, others = _asked(_entry(module, name, text, folder, number))
            except Exception as error:  # a module that does not run is no mutant
                print(f"left out: {name} {kind}: {type(error).__name__}", file=sys.stderr)
                continue
            new = set(after) - set(before)
            changes = kind in ("drop a weight", "stale state") or others is None or differ(numbers, others)
            if not changes:
                continue
            counts[kind][0] += bool(new)
            counts[kind][1] += 1
            kills.update(new)
            alone.update(new if len(new) == 1 else ())
            missed += [] if new else [(module, name, kind)]
            print(f"{name:24} {kind:18} {sorted(new) or 'NOT NOTICED'}", file=sys.stderr, flush=True)
    print("| mutant | noticed |\n|---|---|")
    for kind, (hit, total) in counts.items():
        print(f"| {kind} | {hit} of {total} |")
    print(f"| all | {sum(hit for hit, _ in counts.values())} of {sum(total for _, total in counts.values())} |")
    print("\nnoticed by:", ", ".join(f"{id} {number} ({alone[id]} alone)" for id, number in kills.most_common()))


if __name__ == "__main__":
    main()
