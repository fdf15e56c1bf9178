"""Every text a user reads exists in Spanish, and the catalogs can be trusted."""

from __future__ import annotations

import re

import pytest
from tools import messages

from descenso import language


@pytest.fixture(autouse=True)
def _restore_language():
    yield
    language.use("en")


def test_no_message_of_the_source_lacks_a_spanish_translation():
    assert messages.problems() == []


def test_messages_of_python_files_and_of_the_page_template_are_found():
    found = {path for message in messages.extract() for path, _line in message.locations}
    assert {"report/template.html", "methods.py"} <= found


def test_the_catalog_holds_no_message_that_the_source_has_lost():
    source = {message.id for message in messages.extract()}
    assert {message.id for message in messages.read()} <= source


#: What one thing is called in Spanish, wherever English names it.
GLOSSARY = {
    "array": "arreglo",
    "batch size": "tamaño (de|del) lote|lotes de",
    "buffer": "búfer",
    "default": "por defecto",
    "epoch": "época",
    "floating": "punto flotante",
    "framework": "framework",
    "hyperparameter": "hiperparámetro",
    "learning rate": "tasas? (de|con)",
    "momentum": "momentum",
    "optimizer": "optimizador",
    "schedule": "planificaci",
    "seed": "semilla",
    "validation": "validaci",
    "weight decay": "decaimiento de pesos",
}
#: Words that the glossary replaces, decimal commas, a space before %, and what is said to a "tú".
UNSAID = re.compile(
    r"\b(matri(z|ces)|entorno|coma flotante|línea de órdenes|divergid\w+|millares|coste)\b"
    r"|\d,\d|\d %|\b(haz|pon|tus?|puedes|debes|quieres)\b"
    r"|\b(pon|únel|sepáral|guárdal|indícal|envuélvel|expórtal|cuéntal|sortéal)[ao]s?\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"\{[^}]*\}|`[^`]*`|--\S+|\w+=\w*|\w+(\.\w+)+|\w+_\w+")


def _pairs():
    """Every message and its translation, in the plural where there is one, without code."""
    for message in messages.read():
        english, spanish = (
            _CODE.sub("", text if isinstance(text, str) else text[-1])
            for text in (message.id, message.string)
        )
        # A list of names that are typed stays as it is.
        if english and "epoch, examples, steps" not in english:
            yield english, spanish


@pytest.mark.parametrize("english", GLOSSARY)
def test_spanish_has_one_word_for_one_thing(english):
    said = re.compile(rf"\b{english}s?\b", re.IGNORECASE)
    wanted = re.compile(GLOSSARY[english], re.IGNORECASE)
    pairs = [pair for pair in _pairs() if said.search(pair[0])]
    assert pairs
    assert [pair for pair in pairs if not wanted.search(pair[1])] == []


def test_spanish_says_usted_writes_decimal_points_and_no_word_beside_the_glossary():
    assert [pair for pair in _pairs() if UNSAID.search(pair[1])] == []


@pytest.fixture
def catalog_with(monkeypatch, tmp_path):
    """Replace one translation of the catalog and return what the check then finds."""

    def change(string=None, flag=None):
        catalog = messages.read()
        message = catalog.get("target {value}")
        message.string = message.string if string is None else string
        message.flags |= {flag} if flag else set()
        monkeypatch.setattr(messages, "CATALOG", tmp_path / "descenso.po")
        monkeypatch.setattr(messages, "COMPILED", tmp_path / "descenso.mo")
        messages.CATALOG.write_bytes(messages._text(catalog))
        messages.compile_catalog()
        return messages.problems()

    return change


def test_the_check_finds_an_empty_translation(catalog_with):
    assert "no translation: 'target {value}'" in catalog_with(string="")


def test_the_check_finds_a_translation_that_is_only_a_guess(catalog_with):
    assert "marked fuzzy: 'target {value}'" in catalog_with(flag="fuzzy")


@pytest.mark.parametrize("string", ["objetivo {valor}", "objetivo", "objetivo {value} {value2}"])
def test_the_check_finds_other_format_fields(catalog_with, string):
    found = catalog_with(string=string)
    assert f"other format fields: 'target {{value}}' -> {(string,)!r}" in found


def test_the_check_finds_a_binary_catalog_that_was_not_compiled_again(monkeypatch, tmp_path):
    stale = tmp_path / "descenso.mo"
    stale.write_bytes(messages.COMPILED.read_bytes() + b"\0")
    monkeypatch.setattr(messages, "COMPILED", stale)
    assert "descenso.mo is not the compilation of descenso.po" in messages.problems()


def test_spanish_is_spoken_where_it_is_chosen_and_english_is_the_source():
    language.use("es")
    assert language._("learning rate η (log)") == "tasa de aprendizaje η (log)"
    language.use("en")
    assert language._("learning rate η (log)") == "learning rate η (log)"


@pytest.mark.parametrize(
    ("count", "word"), [(1, "1 ejecución"), (0, "0 ejecuciones"), (2, "2 ejecuciones")]
)
def test_plurals_follow_the_count(count, word):
    language.use("es")
    text = language.ngettext(
        "{count} run diverged; from there on it counts as the untrained network.",
        "{count} runs diverged; from there on they count as the untrained network.",
        count,
    )
    assert word in text.format(count=count)


def test_a_language_without_a_catalog_is_refused_by_name():
    with pytest.raises(ValueError, match="en, es; got 'fr'"):
        language.use("fr")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "es_MX.UTF-8"}, "es"),
        ({"LANG": "es_ES", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_environment_chooses_the_language(monkeypatch, variables, expected):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language.from_environment() == expected


def test_the_message_tool_names_what_is_missing_and_fails(catalog_with, capsys):
    catalog_with(string="")
    assert messages.main(["check"]) == 1
    assert "no translation: 'target {value}'" in capsys.readouterr().out.splitlines()


def test_the_message_tool_explains_itself_when_misused(capsys):
    assert messages.main(["chekc"]) == 2
    assert "update" in capsys.readouterr().out


def test_update_adds_what_is_new_drops_what_is_lost_and_keeps_translations(monkeypatch, tmp_path):
    file = tmp_path / "descenso.po"
    file.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "no longer said"\nmsgstr "ya no se dice"\n\n'
        'msgid "target {value}"\nmsgstr "objetivo {value}"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(messages, "CATALOG", file)
    messages.update()
    catalog = messages.read()
    assert catalog.get("no longer said") is None
    assert catalog.get("target {value}").string == "objetivo {value}"
    assert catalog.get("accuracy").string == ""
    before = file.read_bytes()
    messages.update()
    assert file.read_bytes() == before


def test_a_message_inside_an_f_string_is_named_for_babel_does_not_see_it(tmp_path):
    (tmp_path / "seen.py").write_text('text = _("a") + f"{_(known)} {1}"\n', encoding="utf-8")
    (tmp_path / "unseen.py").write_text("text = f\"{_('Or so.')} {1}\"\n", encoding="utf-8")
    assert messages.unseen(tmp_path) == ["inside an f-string: unseen.py:1 _('Or so.')"]
