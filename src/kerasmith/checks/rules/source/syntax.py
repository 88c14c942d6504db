"""The syntax tree of what is looked at: a class or function of a file, or the file; and what its names stand for."""

import ast
import linecache
from collections.abc import Iterable, Iterator

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.finding import Failed, NotApplicable


class Syntax:
    """A part of a file.

    Attributes:
        file: its path, None for text.
        module: the tree of the whole file.
        root: the tree of the part: a class, a function, or the module itself.
        names: {local name: dotted name} of everything that the file imports, `{"K": "keras.backend"}`.
    """

    def __init__(self, text: str, root_line: int | None = None, file: str | None = None) -> None:
        try:
            self.module: ast.Module = ast.parse(text)
        except SyntaxError as error:
            raise NotApplicable(f"the file is not Python {error.lineno}: {error.msg}") from None
        self.file: str | None = file
        self.text: list[str] = text.splitlines()
        self.root: ast.AST = self.module if root_line is None else _defined_at(self.module, root_line)
        self.names: dict[str, str] = imported_names(self.module)

    def dotted(self, node: ast.AST) -> str:
        """What a name or attribute stands for, `tf.keras.backend.sum` -> "tensorflow.keras.backend.sum"; "" for anything
        else."""
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.names:
            return ""
        return ".".join([self.names[node.id], *reversed(parts)])

    def walk(self) -> Iterator[ast.AST]:
        """The nodes of the part."""
        return ast.walk(self.root)

    def classes(self) -> list[ast.ClassDef]:
        """The class definitions of the part."""
        return [node for node in self.walk() if isinstance(node, ast.ClassDef)]

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """The function definitions of the part, methods among them."""
        return [node for node in self.walk() if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]

    def is_of_keras(self, tree: ast.ClassDef) -> bool:
        """Whether a class names a class of Keras, or one of this file that does, as a base."""
        classes = {node.name: node for node in ast.walk(self.module) if isinstance(node, ast.ClassDef)}
        seen, left = set(), [tree]
        while left:
            for base in left.pop().bases:
                name = self.dotted(base)
                if name.startswith(("keras.", "tensorflow.keras.", "tf_keras.")):
                    return True
                if isinstance(base, ast.Name) and base.id in classes and base.id not in seen:
                    seen.add(base.id)
                    left.append(classes[base.id])
        return False

    def line(self, number: int) -> str:
        """A line of the file without its indentation."""
        return self.text[number - 1].strip() if 0 < number <= len(self.text) else ""


def syntax_of(case: Case) -> "Syntax":
    """The `Syntax` of a case: of the class or function, or of the whole file; parsed once.

    Raises:
        NotApplicable: if there is no source, or it is not in the file any more.
    """
    if "syntax" not in case.cache:
        text, first = case.subject.source()
        file = case.subject.file
        if case.kind == "source":
            case.cache["syntax"] = Syntax(text, file=file)
        elif (case.subject.cls or case.subject.component).__module__.partition(".")[0] == "keras":
            raise NotApplicable("the source is Keras' own")
        elif file is None:
            raise NotApplicable("the source cannot be read")
        else:
            case.cache["syntax"] = Syntax("".join(linecache.getlines(file)), first, file)
    return case.cache["syntax"]


def report(
    case: Case,
    syntax: "Syntax",
    places: Iterable[tuple],
    expected: str,
    title: str | None = None,
    severity: str | None = None,
) -> None:
    """Raises `Failed` with the places that were found, if there are any.

    Args:
        places: {(line, what stands there)} or {(line, what stands there, what to write instead)}.
    """
    if not places:
        return
    places = sorted(places)
    found_at = [f"line {line}: {found}" + (f" (write {rest[0]})" if rest else "") for line, found, *rest in places[:5]]
    more = f" and {len(places) - 5} more" if len(places) > 5 else ""
    number = places[0][0]
    if case.kind == "source" or syntax.file is None:
        lines = [f"print({syntax.line(number)!r})  # line {number}"]
    else:
        lines = [f"import linecache; print(linecache.getline({syntax.file!r}, {number}))"]
    raise Failed(expected, "; ".join(found_at) + more, lines, line=number, title=title, severity=severity)


def imported_names(module: ast.Module) -> dict[str, str]:
    """{local name: dotted name} of all imports of a file, those inside functions too."""
    names = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for one in node.names:
                names[one.asname or one.name.partition(".")[0]] = one.name if one.asname else one.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for one in node.names:
                names[one.asname or one.name] = f"{node.module}.{one.name}"
    # A parameter or variable of the same name hides the import somewhere: then the name says nothing for certain.
    bound = {node.arg for node in ast.walk(module) if isinstance(node, ast.arg)}
    bound |= {node.id for node in ast.walk(module) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return {name: full for name, full in names.items() if name not in bound}


def _defined_at(module, line):
    """The outermost class or function whose definition, decorators included, begins at a line."""
    for node in ast.walk(module):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if first <= line <= node.lineno:
                return node
    raise NotApplicable("its definition is not in the file any more")
