"""Of methods that tie: the most forgiving, then the cheapest, the best by default, the best mean."""

from descenso.study.recommendation import Candidate, choose_among_ties

BEST = Candidate("best", factor=3.0, work=1.1, memory=0, default=0.5)


def test_the_most_forgiving_of_the_ties_is_taken():
    choice = choose_among_ties(BEST, [Candidate("wide", 0.98, factor=160.0, work=1.1, memory=0)])
    assert (choice.name, choice.by, choice.cheap) == ("wide", ("forgiveness",), True)


def test_factors_within_two_of_each_other_are_as_forgiving_and_the_cheaper_is_taken():
    near = Candidate("near", 0.99, factor=5.0, work=1.2, memory=1, default=0.9)
    assert choose_among_ties(BEST, [near]).name == "best"
    dear = Candidate("dear", 1.0, factor=3.0, work=2.0, memory=0)
    assert choose_among_ties(dear, [near]).name == "near"
    assert choose_among_ties(dear, [near]).by == ("cost",)


def test_what_is_as_forgiving_and_as_cheap_is_taken_by_its_default_and_then_by_its_mean():
    good = Candidate("good", 0.99, factor=3.0, work=1.1, memory=0, default=0.9)
    assert choose_among_ties(BEST, [good]).by == ("default",)
    same = Candidate("same", 0.99, factor=3.0, work=1.1, memory=0, default=0.5)
    assert (choose_among_ties(BEST, [same]).name, choose_among_ties(BEST, [same]).by) == (
        "best",
        ("mean",),
    )


def test_a_tie_that_loses_much_or_diverges_more_is_left_aside():
    poor = Candidate("poor", 0.8, factor=160.0)
    wild = Candidate("wild", 0.99, factor=160.0, diverged=1)
    choice = choose_among_ties(BEST, [poor, wild])
    assert (choice.name, choice.among, choice.by) == ("best", ("best",), ())


def test_of_a_method_whose_learning_rates_are_unknown_only_its_own_is_known_to_be_good():
    unknown = Candidate("unknown", factor=None)
    assert choose_among_ties(unknown, [Candidate("wide", 0.99, factor=10.0)]).name == "wide"
    both = choose_among_ties(unknown, [Candidate("too", 0.99, factor=None)])
    assert (both.name, both.by) == ("unknown", ("mean",))
