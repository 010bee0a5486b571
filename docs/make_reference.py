"""Write docs/reference.md: the public names of every package, one line each.

    python docs/make_reference.py

The names are those of ``__all__``, the lines the first sentences of their docstrings; both are read
from the source, and nothing is imported.
"""

import ast
import re
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
PAGE = Path(__file__).parent / "reference.md"
HEAD = """# Reference

The public names of every package, as they are imported: `from goldstone.groups import CyclicGroup`.
What a name's arguments, shapes, units and errors are stands in its docstring: `help(CyclicGroup)`.
A package's names are listed under it, and not those of packages inside it. This page is made by
`python docs/make_reference.py`.
"""


def page() -> str:
    """The whole page."""
    inits = sorted(SOURCE.glob("goldstone/**/__init__.py"), key=lambda path: path.parent.parts)
    return HEAD + "".join(filter(None, map(section, inits)))


def section(init: Path) -> str:
    """One package; empty if it exports nothing."""
    tree = ast.parse(init.read_text(encoding="utf-8"))
    names = exported(tree)
    if not names:
        return ""
    package = ".".join(init.parent.relative_to(SOURCE).parts)
    origins = {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    rows = []
    for name in sorted(names, key=str.lower):
        module, original = origins.get(name, (package, name))
        found, line = described(module, original)
        line = line.replace("|", "\\|")
        rows.append(f"| `{name}` | {found} | {line} |\n")
    return f"\n## {package}\n\n{summary(tree)}\n\n| name | | |\n|---|---|---|\n{''.join(rows)}"


def exported(tree: ast.Module) -> list[str]:
    """The names in ``__all__``."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and target(node) == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def described(module: str, name: str) -> tuple[str, str]:
    """What kind of thing a name of a module is, and the first sentence of its docstring."""
    path = SOURCE.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for k, node in enumerate(body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return "class" if isinstance(node, ast.ClassDef) else "function", summary(node)
        if isinstance(node, ast.Assign | ast.AnnAssign) and target(node) == name:
            after = body[k + 1] if k + 1 < len(body) else None
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                return "value", first_sentence(str(after.value.value))
            return "value", f"`{ast.unparse(node.value) if node.value else ''}`"
        imported = isinstance(node, ast.ImportFrom) and name in {a.name for a in node.names}
        if imported and node.module != module:
            return described(node.module or "", name)
    if (path / f"{name}.py").exists():
        return "module", summary(ast.parse((path / f"{name}.py").read_text(encoding="utf-8")))
    raise LookupError(f"{module} does not define {name}")


def target(node: ast.Assign | ast.AnnAssign) -> str:
    """The name that an assignment is to."""
    to = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return to.id if isinstance(to, ast.Name) else ""


def summary(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    """The first sentence of a docstring."""
    return first_sentence(ast.get_docstring(node) or "")


def first_sentence(docstring: str) -> str:
    """In one line of Markdown."""
    paragraph = " ".join(docstring.strip().split("\n\n")[0].split())
    # A full stop ends it, but for that of an abbreviation or an ellipsis inside.
    sentence = re.split(r"(?<=[^.\s][.])\s+(?=[A-Z`∇‖⟨])", paragraph)[0]
    plain = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", sentence).replace("``", "`")
    return re.sub(r":$", ".", plain)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
