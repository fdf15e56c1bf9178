"""Texts as numbers: the ways of grouping, the units and the signs for missing that people write."""

import numpy as np
import pandas as pd
import pytest

from descenso.data._table_numbers import read_numbers
from descenso.data._table_times import read_times
from descenso.data.missing import stand_ins

NAN = np.nan


def said(numbers):
    return [text.format(name="x", **values) for text, values in numbers.notes]


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1,5", "2", "3,25", "4,125"], [1.5, 2, 3.25, 4.125]),
        (["1,200", "800", "15,300.5", "-2,000,000"], [1200, 800, 15300.5, -2e6]),
        (["1", "2.5", "x, y", "7"], [1, 2.5, NAN, 7]),
        (["1,2,3", "2,2,1", "3", "4"], [NAN, NAN, 3, 4]),
        (["1.234,56", "1.200,00", "800,5", "12"], [1234.56, 1200, 800.5, 12]),
        (["1\u202f234,56", "1 200,5", "1\u00a0000\u00a0000", "1\u2009000"], [1234.56, 1200.5, 1e6, 1e3]),
        (["1'234.56", "1\u2019234\u2019567", "12.5", "1_000"], [1234.56, 1234567, 12.5, 1000]),
        (["1,23,456", "12,34,567.5", "999", "1,000"], [123456, 1234567.5, 999, 1000]),
        (["1.234", "2.345.678", "800", "0"], [1234, 2345678, 800, 0]),
        (["$262,670", "$1,200,300", "$800", "$-5"], [262670, 1200300, 800, -5]),
        (["1.234 €", "800 €", "1.000.000 €", "-3,5 €"], [1234, 800, 1e6, -3.5]),
        (["R$ 1.234,56", "R$ -3,5", "R$10", "R$ 0,99"], [1234.56, -3.5, 10, 0.99]),
        (["USD 1,200.50", "3 USD", "US$ 4", "$5"], [1200.5, 3, NAN, NAN]),
        (["CHF 120.\u2013", "CHF 1'200.50", "CHF 7.-", "CHF 5"], [120, 1200.5, 7, 5]),
        (["Rs. 1,23,456/-", "Rs. 500/-", "Rs.5", "Rs 7"], [123456, 500, 5, 7]),
        (["(1,200.5)", "35", " 7-", "\u22129"], [-1200.5, 35, -7, -9]),
        (["45%", "3.5 %", "100%", "-2%"], [45, 3.5, 100, -2]),
        (["12 kg", "13.5 kg", "14kg", "15 Kg"], [12, 13.5, 14, 15]),
        (["120 km/h", "80 km/h", "90km/h", "1"], [120, 80, 90, 1]),
        (["21 °C", "-3 °C", "0°C", "4,5 °C"], [21, -3, 0, 4.5]),
        (["120 m2", "85 m²", "85 sqm", "7 m2"], [120, 85, 85, 7]),
        (["36 months", "1 month", "60 months", "7"], [36, 1, 60, 7]),
        (["159lbs", "72kg", "100 lb", "80 kg"], [72.12118683, 72, 45.359237, 80]),
        (["512 MB", "1.5 GB", "1 TB", "5 kB"], [5.12e8, 1.5e9, 1e12, 5e3]),
        (["€110.5M", "€565K", "€0", "€2M"], [110.5e6, 565e3, 0, 2e6]),
        (["42 Lac", "1.4 Cr", "60 Lac", "2 Cr"], [42e5, 1.4e7, 60e5, 2e7]),
        (["1st", "2nd", "3rd", "10th"], [1, 2, 3, 10]),
        (["1.2e-5", "3E4", "-5e+3", "1.5 x 10^3"], [1.2e-5, 3e4, -5e3, 1500]),
        (["1,2e-5", "3E4", "-5,5e+3", "1D+03"], [1.2e-5, 3e4, -5500, 1000]),
        (["\u0661\u0662", "\u06f3\u066b\u06f5", "\uff17", "8"], [12, 3.5, 7, 8]),
        (["0.91 ± 0.02", "0.9 +/- 0.1", "12.3*", "450[a]"], [0.91, 0.9, 12.3, 450]),
        (["6,56", "7.16", "1,2", "9.75"], [6.56, 7.16, 1.2, 9.75]),
        (["1.2M", "967", "51,269", "3M"], [1.2e6, 967, 51269, 3e6]),
        (["7[12]", "8 †", "(9)*", "10"], [7, 8, -9, 10]),
        ([".5", "-.5", "+1.25", "5."], [0.5, -0.5, 1.25, 5]),
        ([",5", "1,25", "-,5", "7,"], [0.5, 1.25, -0.5, 7]),
        (["<0.5", "0.7", ">90", "1"], [0.5, 0.7, 90, 1]),
        (["40.45° N", "3.7° S", "5° E", "7.25° W"], [40.45, -3.7, 5, -7.25]),
    ],
)  # fmt: skip
def test_numbers_are_read_as_they_are_meant(texts, values):
    numbers = read_numbers(pd.Series(texts, index=[3, 3, 0, 1]))
    np.testing.assert_allclose(numbers.values, values)
    assert list(numbers.values.index) == [3, 3, 0, 1]


@pytest.mark.parametrize(
    "texts",
    [
        ["192.168.100.123", "192.168.100.124"],
        ["10.0.0.1", "10.0.0.2"],
        ["1.2.3", "1.10.2"],
        ["10-20", "20-30"],
        ["[10-20)", "[20-30)"],
        ["555-1234", "555-4321"],
        ["+34 600 123 456", "+34 600 123 457"],
        ["600 123 456", "600 123 457"],
        ["00:1B:44:11:3A:B7", "00:1B:44:11:3A:B8"],
        ["https://x.org/1", "https://x.org/2"],
        ["<=50K", ">50K"],
        ["zip1", "zip2"],
        ["Street 5", "Street 6"],
        ["12 Main Street", "14 Oak Avenue"],
        ["2021-03-05", "2021-03-06"],
        ["10023-A", "10024-A"],
        ["", "?"],
    ],
)
def test_what_is_no_number_is_read_as_none(texts):
    assert read_numbers(pd.Series(texts)).share < 0.6


@pytest.mark.parametrize(
    "sign",
    ["?", " ?", "-", "--", "\u2014", "n.a.", "N/A", "NA", "null", "NULL", "None", "nan", "NaN", ".", "*",
     "..", ".a", ".z", "#N/A", "#VALUE!", "#¡VALOR!", "missing", "Unknown", "sin dato", "k.A.", "no data",
     "", "  "],
)  # fmt: skip
@pytest.mark.parametrize("share", [0.2, 0.95])
def test_a_sign_for_missing_leaves_the_rest_numbers(sign, share):
    rng = np.random.default_rng(0)
    gaps = rng.random(200) < share
    texts = pd.Series(np.where(gaps, sign, rng.normal(100, 30, 200).round(2).astype(str)))
    numbers = read_numbers(texts)
    assert numbers.share == 1
    np.testing.assert_array_equal(numbers.values.isna(), gaps)
    assert said(numbers) == [
        f"x: signs that count as missing: {read_sign(sign)}: {int(gaps.sum())}"
    ]


def read_sign(sign):
    return sign.strip().replace("\u2014", "-") or "''"


@pytest.mark.parametrize(
    ("texts", "decimal", "certain"),
    [
        (["1,234", "5,678"], ".", False),
        (["$1,234", "$5,678"], ".", True),
        (["1,234", "5,678", "9,001", "800", "12", "45"], ".", True),
        (["1.234", "5.678", "9.001", "800", "12", "45"], ",", False),
        (["1.234", "5.678", "9.001"], ".", False),
        (["1.234", "0.678", "9.001", "800", "12", "45"], ".", True),
        (["1,5", "2,25"], ",", True),
        (["1.5", "2"], ".", True),
        (["1", "2"], "", True),
    ],
)
def test_the_decimal_sign_is_told_and_what_is_ambiguous_is_said(texts, decimal, certain):
    numbers = read_numbers(pd.Series(texts))
    assert (numbers.decimal, numbers.certain) == (decimal, certain)
    assert any("could be decimal signs" in text for text in said(numbers)) == (
        not certain and not (decimal == "." and "." in texts[0])
    )


def test_the_decimal_sign_can_be_given():
    texts = pd.Series(["1,234", "800", "1.234"])
    np.testing.assert_array_equal(read_numbers(texts, ",").values, [1.234, 800, 1234])
    np.testing.assert_array_equal(read_numbers(texts, ".").values, [1234, 800, 1.234])


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["1.234,5"], ["commas are taken for decimal signs", "points are taken to separate thousands"]),
        (["$5", "7"], ["numbers in $", "values without $ are taken to be in it: 1"]),
        (["€5M", "€7K"], ["units are put into one: € K, € M"]),
        (["<5", "7", "8"], ["limits such as <5 are taken as their number: 1"]),
        (["5", "6 ± 1"], ["what stands behind a number, such as ± 0.1 or *, is not read: 1"]),
        (["6,5", "7.1"], ["commas and points are both taken for decimal signs"]),
        (["1.426", "6.422"], ["points are taken for decimal signs; --column x=number-comma takes them "
                              "to separate thousands"]),
        (["5", "7", "8", "9 H", "2 L"],
         ["letters behind numbers are taken for remarks, not for units: H, L"]),
        (["1 000", "2 000"], ["spaces are taken to separate thousands"]),
    ],
)  # fmt: skip
def test_each_inference_is_said(texts, says):
    assert [text.removeprefix("x: ") for text in said(read_numbers(pd.Series(texts)))] == says


def test_different_currencies_are_not_one_column_of_numbers():
    numbers = read_numbers(pd.Series(["$100", "€90", "$80", "€70"]))
    assert numbers.units == ("$", "€")
    assert numbers.share == 0.5


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([-999, 0.5, 0.7, -999, 0.2], [(-999, 2)]),
        ([-999, -999.9, 0.5, 0.7], [(-999.9, 1), (-999, 1)]),
        ([9999, 98, 1, 2, 0], [(9999, 1)]),
        ([9.96921e36, 280.5, 290.1], [(9.96921e36, 1)]),
        ([-32768, 12, 15, NAN], [(-32768, 1)]),
        ([99, 98, 40, 20], []),
        ([-999, -500, 20, 300], []),
        ([-999, -999], []),
        ([NAN, NAN], []),
        ([0, 1, 100], []),
    ],
)
def test_numbers_far_from_all_others_may_stand_for_missing_ones(values, found):
    assert stand_ins(np.array(values, float)) == found


def test_many_texts_are_read_as_few_are():
    rng = np.random.default_rng(0)
    values = rng.uniform(-9e5, 9e5, 3000).round(2)
    texts = pd.Series(
        [f"{v:,.2f} €".replace(",", "_").replace(".", ",").replace("_", ".") for v in values]
    )
    texts.iloc[:3] = ["(1,50)", "n.a.", "7 €"]
    values[:3] = [-1.5, NAN, 7]
    np.testing.assert_allclose(read_numbers(texts).values, values)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["13:45", "9:05"], [13.75, 9 + 1 / 12]),
        (["1:45 PM", "12:00 am"], [13.75, 0]),
        (["3:45", "1:02:10"], [3.75 / 60, 1 + 2 / 60 + 10 / 3600]),
        (["1:22.376", "58.31", "10:05,5"], [82.376 / 3600, 58.31 / 3600, 605.5 / 3600]),
        (["40°26'46\"N", "3° 42.5' S", "0°30′W"], [40 + 26 / 60 + 46 / 3600, -3 - 42.5 / 60, -0.5]),
        (["3°30'O", "4°30'E"], [-3.5, 4.5]),
        (["13°30'O", "4°30'W"], [13.5, -4.5]),
        (["0 days 00:30:00", "1 days 02:00:00.0"], [0.5, 26]),
        (["PT1H30M", "P1DT6H"], [1.5, 30]),
        (["2h 50m", "19h", "5m"], [10200, 68400, 300]),
        (["13h45", "9h30"], [49500, 34200]),
        (["5'7\"", "6'1"], [1.7018, 1.8542]),
        (["6 ft 2 in", "5 ft"], [1.8796, 1.524]),
        (["1 año 2 meses", "3 años"], [31556952 + 2 * 2629746, 3 * 31556952]),
    ],
)
def test_times_and_sums_of_units_are_read(texts, values):
    np.testing.assert_allclose(read_times(pd.Series(texts)).values, values)


@pytest.mark.parametrize("text", ["16:9", "12:34:56:78", "10 Downing Street", "abc", "P", "1:75"])
def test_what_is_no_time_is_none(text):
    assert read_times(pd.Series([text, text])) is None
