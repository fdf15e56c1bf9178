"""What the store promises: all or nothing, once each, found again."""

import dataclasses

import numpy as np
import pytest
import sqlalchemy as sa

from descenso.errors import StoreError, UnknownNameError
from descenso.store import Store, default_url

DESIGN = {"methods": ["adam"], "epochs": 2}


def test_a_run_comes_back_as_it_was_kept(store, make_run):
    store.begin("abc", "wine", "2026-01-01T00:00:00+00:00", DESIGN)
    run = make_run()
    store.save_runs("abc", [run], 1.5)
    (back,) = store.runs("abc")
    assert back.member == run.member
    np.testing.assert_array_equal(back.curve.validation_loss, run.curve.validation_loss)
    np.testing.assert_array_equal(back.checkpoint["leaf0"], run.checkpoint["leaf0"])
    assert store.find("abc").seconds == 1.5


def test_a_run_that_went_on_replaces_itself_and_is_never_there_twice(store, make_run):
    store.begin("abc", "wine", "now", DESIGN)
    store.save_runs("abc", [make_run(seed, 2) for seed in range(3)], 1.0)
    store.save_runs("abc", [make_run(1, 5)], 1.0)
    runs = {run.member.seed: run.curve.epochs for run in store.runs("abc")}
    assert len(store.runs("abc")) == 3
    assert runs == {0: 2, 1: 5, 2: 2}


def test_beginning_again_changes_nothing(store, make_run):
    store.begin("abc", "wine", "first", DESIGN)
    store.save_runs("abc", [make_run()], 2.0)
    store.begin("abc", "wine", "second", {})
    found = store.find("abc")
    assert (found.started, found.design, found.seconds) == ("first", DESIGN, 2.0)
    assert len(store.runs("abc")) == 1


def test_a_chunk_is_kept_whole_or_not_at_all(store, make_run):
    store.begin("abc", "wine", "now", DESIGN)
    broken = dataclasses.replace(make_run(1), member=make_run(1).member)
    object.__setattr__(broken.member, "settings", {"lr": object()})
    with pytest.raises(Exception, match="JSON"):
        store.save_runs("abc", [make_run(0), broken], 1.0)
    assert store.runs("abc") == []
    assert store.find("abc").seconds == 0.0


def test_finishing_keeps_the_result_and_lets_the_checkpoints_go(store, make_run):
    store.begin("abc", "wine", "now", DESIGN)
    store.save_runs("abc", [make_run()], 1.0)
    store.finish("abc", {"answer": [1.5, "nan"]})
    assert store.find("abc").result == {"answer": [1.5, "nan"]}
    assert store.runs("abc")[0].checkpoint is None


def test_deleting_a_study_takes_its_runs_and_no_others(store, make_run):
    for identity in ("abc", "xyz"):
        store.begin(identity, "wine", "now", DESIGN)
        store.save_runs(identity, [make_run()], 1.0)
    store.delete("abc")
    assert store.find("abc") is None
    assert store.runs("abc") == []
    assert len(store.runs("xyz")) == 1


def test_the_database_itself_removes_the_runs_of_a_removed_study(place, store, make_run):
    store.begin("abc", "wine", "now", DESIGN)
    store.save_runs("abc", [make_run()], 1.0)
    with store._engine.begin() as connection:
        connection.execute(sa.text("delete from descenso_studies"))
    assert store.runs("abc") == []


def test_runs_of_a_study_that_was_removed_meanwhile_are_refused(store, make_run):
    store.begin("abc", "wine", "now", DESIGN)
    store.delete("abc")
    with pytest.raises(StoreError, match="removed while it ran"):
        store.save_runs("abc", [make_run()], 1.0)


class TestResolving:
    @pytest.fixture(autouse=True)
    def _three_studies(self, store):
        for day, identity in enumerate(("aa11", "aa22", "bb33"), start=1):
            store.begin(identity, "wine", f"2026-01-0{day}T00:00:00+00:00", DESIGN)

    def test_the_start_of_an_identity_is_enough(self, store):
        assert store.resolve("b").identity == "bb33"
        assert store.resolve("aa1").identity == "aa11"
        assert store.resolve("aa22").identity == "aa22"

    def test_latest_is_the_newest(self, store):
        assert store.resolve("latest").identity == "bb33"
        assert [s.identity for s in store.studies()] == ["bb33", "aa22", "aa11"]

    def test_a_start_that_fits_two_is_refused(self, store):
        with pytest.raises(UnknownNameError, match=r"more than one study .*'aa'"):
            store.resolve("aa")

    @pytest.mark.parametrize("text", ["zz", "", "%", "_", "AA11 "])
    def test_what_fits_none_is_refused(self, store, text):
        with pytest.raises(UnknownNameError, match="no study in"):
            store.resolve(text)


def test_an_empty_store_says_so(store):
    with pytest.raises(UnknownNameError, match="no study is stored in"):
        store.resolve("latest")
    assert store.studies() == []


def test_a_store_is_reopened_with_all_it_held(place, make_run):
    for round_ in range(3):
        store = Store(place)
        store.begin(f"study{round_}", "wine", "now", DESIGN)
        store.save_runs(f"study{round_}", [make_run()], 1.0)
        store.close()
    assert len(Store(place).studies()) == 3


def test_folders_on_the_way_are_made(tmp_path):
    Store(tmp_path / "a" / "b" / "c.db").close()
    assert (tmp_path / "a" / "b" / "c.db").is_file()


def test_the_default_store_lies_in_the_platforms_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_url() == f"sqlite:///{tmp_path / 'descenso' / 'studies.db'}"


def test_a_tilde_means_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    Store("~/mine.db").close()
    assert (tmp_path / "mine.db").is_file()
