"""What a rule file says to a user is collected from it, and exists in Spanish."""

from __future__ import annotations

from pathlib import Path

from tools import messages

from descenso import language, rules
from descenso.web._playground import catalog


def test_the_title_and_every_meaning_of_a_rule_are_collected_from_its_file():
    collected = {}
    for message in messages.extract():
        for path, _line in message.locations:
            collected.setdefault(path, set()).add(message.id)
    for rule in map(rules.get, rules.names()):
        said = {rule.title, *(h.meaning for h in rule.hyperparameters.values())}
        assert collected[f"rules/{Path(rule.file).name}"] == said


def test_methods_are_explained_in_spanish():
    language.use("es")
    try:
        titles = {m["name"]: m["title"] for m in catalog()["methods"]}
    finally:
        language.use("en")
    assert titles["momentum"].startswith("Momentum: un paso")
