"""Spanish goes all the way: help, lists and complaints hold no English."""

from __future__ import annotations

import pytest

ENGLISH = [
    *("Usage:", "Options:", "Arguments:", "Commands:", "OPTIONS", "COMMAND", "STUDY", "FILE"),
    *("default:", "required", "exit.", "list[", "{"),
]


@pytest.fixture(scope="module")
def helps():
    """The help of every command in Spanish; texts are chosen at import, hence other processes."""
    import os
    import subprocess
    import sys

    script = (
        "from descenso.cli import run\n"
        "for name in ('', 'compare', 'report', 'path', 'delete', 'serve', 'verdict', 'export'):\n"
        "    run(['--lang', 'es', *([name] if name else []), '--help'])\n"
    )
    environment = {**os.environ, "LANG": "es_MX.UTF-8", "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


@pytest.mark.parametrize(
    "english",
    ENGLISH,
)
def test_help_holds_no_word_of_the_parser_s_own_english(helps, english):
    assert english not in helps


def test_help_in_spanish_names_its_parts(helps):
    for word in ("Uso: descenso", "Opciones:", "Argumentos:", "Comandos:", "[obligatorio]"):
        assert word in helps
    assert "[por defecto: 12]" in " ".join(helps.split())


def test_methods_are_listed_with_regime_and_rule_in_spanish(descenso):
    listed = descenso("methods", "--lang", "es").out
    assert "por minilotes" in listed
    assert "estocástico" in listed
    assert "Descenso por gradiente" in listed
    assert "mini-batch" not in listed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "digits", "--margin", "x"], "--margin debe ser un número; se recibió 'x'"),
        (["compare", "digits", "--quiet=3"], "la opción --quiet no lleva valor"),
        (["compare", "digits", "--rules", "no.py"], "no.py: no es un archivo de Python"),
        (["compare", "digits", "--report", "/no/x.html"], "no existe ese archivo o carpeta"),
    ],
)
def test_complaints_are_in_spanish(descenso, arguments, said):
    outcome = descenso(*arguments, "--lang", "es")
    assert outcome.code
    assert said in outcome.err


def test_the_question_before_a_removal_is_asked_and_answered_in_spanish(monkeypatch):
    import typer

    from descenso import language
    from descenso.cli import _studies

    asked = []
    monkeypatch.setattr(typer, "prompt", lambda text, **_: asked.append(text) or " SÍ")
    language.use("es")
    _studies._confirm("¿Borrar x?")
    assert asked == ["¿Borrar x? [s/N]:"]
    monkeypatch.setattr(typer, "prompt", lambda text, **_: "")
    with pytest.raises(typer.Abort):
        _studies._confirm("¿Borrar x?")
