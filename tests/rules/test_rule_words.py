"""The rules' words are those of their files, and exist in Spanish."""

from __future__ import annotations

from descenso import language, rules
from descenso.rules import _words as _rule_words
from descenso.web._playground import catalog


def test_no_word_is_marked_that_no_rule_says_any_more():
    """A new rule is one file: until its words are marked, they are shown as they are written."""
    known = [rules.get(name) for name in rules.names()]
    assert set(_rule_words.TITLES) <= {rule.title for rule in known}
    meanings = {h.meaning for rule in known for h in rule.hyperparameters.values()}
    assert set(_rule_words.MEANINGS) <= meanings


def test_methods_are_explained_in_spanish():
    language.use("es")
    try:
        titles = {m["name"]: m["title"] for m in catalog()["methods"]}
    finally:
        language.use("en")
    assert titles["momentum"].startswith("Momento: ")
