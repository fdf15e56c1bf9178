"""Keep the Spanish catalog in step with the source.

Run as ``python tools/messages.py update``, ``compile`` or ``check``.

``update`` collects every message of the source into the catalog and leaves new ones empty;
``compile`` writes the binary catalog that the package loads; ``check`` names what is missing.
"""

from __future__ import annotations

import ast
import io
import string
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir, extract_python
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "descenso"
CATALOG = SOURCE / "locale" / "es" / "LC_MESSAGES" / "descenso.po"
COMPILED = CATALOG.with_suffix(".mo")


def extract() -> Catalog:
    """Return every message of the source: Python files, rules and HTML templates."""
    with (ROOT / "babel.cfg").open() as file:
        mapping, options = parse_mapping_cfg(file)
    methods = [(pattern, rule_texts if how == "rule" else how) for pattern, how in mapping]
    catalog = Catalog(project="descenso", charset="utf-8")
    for path, _line, message, comments, context in extract_from_dir(
        str(SOURCE), methods, options, comment_tags=("Translators:",)
    ):
        catalog.add(message, None, [(path, None)], auto_comments=comments, context=context)
    return catalog


def rule_texts(
    file: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, str | None, str, list[str]]]:
    """Yield what a rule file says to a user: its title and the meaning of each setting.

    A rule holds a formula and knows no language, so nothing in it is marked.
    """
    tree = ast.parse(file.read())
    file.seek(0)
    yield from extract_python(file, keywords, comment_tags, options)
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or not _calls(function, "rule"):
            continue
        title = (ast.get_docstring(function) or "").partition("\n")[0].rstrip(".")
        yield function.lineno, None, title, []
        for declared in function.args.kw_defaults:
            for given in declared.keywords if isinstance(declared, ast.Call) else ():
                if given.arg == "meaning":
                    yield given.value.lineno, None, ast.literal_eval(given.value), []


def _calls(function: ast.FunctionDef, name: str) -> bool:
    return any(
        isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id == name
        for made in function.decorator_list
    )


def read() -> Catalog:
    """Return the Spanish catalog as it is written down."""
    if not CATALOG.exists():
        return Catalog(locale="es", project="descenso", charset="utf-8", fuzzy=False)
    with CATALOG.open("rb") as file:
        return read_po(file, locale="es")


def update() -> None:
    """Bring the catalog to the messages of the source; what has no translation is left empty."""
    catalog = read()
    before = _text(catalog)
    # Guesses at changed messages would pass for translations, so nothing is matched by likeness.
    catalog.update(extract(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    catalog.header_comment = "# Spanish texts of descenso."
    if _text(catalog) != before or not CATALOG.exists():
        CATALOG.parent.mkdir(parents=True, exist_ok=True)
        CATALOG.write_bytes(_text(catalog))


def compile_catalog() -> None:
    """Write the binary catalog."""
    COMPILED.write_bytes(compiled(read()))


def compiled(catalog: Catalog) -> bytes:
    """Return the binary form of a catalog."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def problems() -> list[str]:
    """Return, in one line each, what keeps the Spanish catalog from being complete."""
    catalog = read()
    found = [
        fault
        for message in extract()
        if message.id
        for fault in _faults(message, catalog.get(message.id, message.context))
    ]
    found += unseen()
    if not COMPILED.exists() or COMPILED.read_bytes() != compiled(catalog):
        found.append(f"{COMPILED.name} is not the compilation of {CATALOG.name}")
    return found


def unseen(folder: Path = SOURCE) -> list[str]:
    """Return, in one line each, the messages that Babel does not see: those inside an f-string."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(text, ast.JoinedStr):
                calls = [part for part in ast.walk(text) if isinstance(part, ast.Call)]
                found += [
                    f"inside an f-string: {path.name}:{call.lineno} {ast.unparse(call)}"
                    for call in calls
                    if ast.unparse(call.func) in ("_", "N_", "ngettext")
                    and isinstance(call.args[0], ast.Constant)
                ]
    return found


def _faults(message: Message, translation: Message | None) -> list[str]:
    forms = _forms(translation.string) if translation else ()
    if not forms or not all(forms):
        return [f"no translation: {message.id!r}"]
    if translation is not None and translation.fuzzy:
        return [f"marked fuzzy: {message.id!r}"]
    fields = [_fields(form) for form in _forms(message.id)]
    allowed = set().union(*fields)
    # A singular may say its number in words; nothing may name a field that is not given.
    if any(_fields(form) - allowed for form in forms) or _fields(forms[-1]) != fields[-1]:
        return [f"other format fields: {message.id!r} -> {forms!r}"]
    return []


def _forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _text(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=98, include_lineno=False, sort_by_file=True)
    return buffer.getvalue()


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    match arguments:
        case ["update"]:
            update()
        case ["compile"]:
            compile_catalog()
        case ["check"]:
            pass
        case _:
            print(__doc__)
            return 2
    found = [] if arguments == ["compile"] else problems()
    print("\n".join(found) or "complete")
    return int(bool(found) and arguments == ["check"])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
