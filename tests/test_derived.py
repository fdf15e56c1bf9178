"""What is made of the files of rules, schedules, transforms and problems is current."""

from __future__ import annotations

from tools import pages, stubs

from descenso import rules


def test_every_rule_has_its_names_for_editors_and_they_are_current():
    assert stubs.stale() == []
    assert {rules.class_name(rules.get(n)) for n in rules.names()} == {
        line.split()[1].partition("(")[0]
        for line in stubs.file("torch").read_text(encoding="utf-8").splitlines()
        if line.startswith("class ")
    }


def test_every_page_of_the_reference_is_current():
    assert pages.stale() == []


def test_what_is_not_current_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    pages.update()
    assert pages.stale() == []
    (tmp_path / "rules" / "gone.md").write_text("a rule that was removed")
    (tmp_path / "rules" / "adam.md").unlink()
    assert pages.stale() == ["rules/adam.md", "rules/gone.md"]
    pages.update()
    assert pages.stale() == []


def test_the_page_of_a_rule_says_where_a_framework_has_its_equal():
    text = pages.pages()["rules/rmsprop.md"]
    assert "`keras.optimizers.RMSprop` where `eps` is 0 and `centered` is off" in text
