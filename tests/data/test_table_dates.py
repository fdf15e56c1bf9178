"""Texts as dates: the orders, names of months, times and zones that people write."""

import numpy as np
import pandas as pd
import pytest

from descenso.data._table_dates import read_compact, read_dates


def read(texts, **options):
    """Return the dates as texts to the minute, the order, and what was inferred."""
    dates = read_dates(pd.Series(texts), **options)
    if dates is None:
        return None, "", ""
    days = [
        None if np.isnan(day) else str(pd.Timestamp(0) + pd.Timedelta(days=day))[:16]
        for day in dates.days
    ]
    notes = "\n".join(text.format(name="x", **values) for text, values in dates.notes)
    return [day and day.removesuffix(" 00:00") for day in days], dates.order, notes


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2021-03-05", "2021-03-05"),
        ("2021/3/5", "2021-03-05"),
        ("2021.03.05", "2021-03-05"),
        ("20210305", "2021-03-05"),
        ("12-Mar-21", "2021-03-12"),
        ("12-MAR-2021", "2021-03-12"),
        ("15ENE2021", "2021-01-15"),
        ("3 de marzo de 2021", "2021-03-03"),
        ("3 marzo 2021", "2021-03-03"),
        ("lunes, 3 de mayo de 2021", "2021-05-03"),
        ("mar 3, 2021", "2021-03-03"),
        ("mar 2 mar 2021", "2021-03-02"),
        ("Jan. 5, 2021", "2021-01-05"),
        ("January 5th 2021", "2021-01-05"),
        ("Tuesday, January 5, 2021", "2021-01-05"),
        ("5 January 2021", "2021-01-05"),
        ("5. März 2021", "2021-03-05"),
        ("1er janvier 2021", "2021-01-01"),
        ("15 août 2020", "2020-08-15"),
        ("2021/03", "2021-03-01"),
        ("03/2021", "2021-03-01"),
        ("Mar 2021", "2021-03-01"),
        ("marzo de 2021", "2021-03-01"),
        ("2021-Q3", "2021-07-01"),
        ("Q3 2021", "2021-07-01"),
        ("3T2021", "2021-07-01"),
        ("2021-W05", "2021-02-01"),
        ("31/12/2021", "2021-12-31"),
        ("12/31/2021", "2021-12-31"),
        ("31.12.1999", "1999-12-31"),
        ("31.12.99", "1999-12-31"),
        ("31/12/2021 10:30", "2021-12-31 10:30"),
        ("12/31/2021 9:05:59 PM", "2021-12-31 21:05"),
        ("31.12.2021 13.45 Uhr", "2021-12-31 13:45"),
        ("31/12/2021 12:00 a. m.", "2021-12-31"),
        ("2021-03-05T10:00:00Z", "2021-03-05 10:00"),
        ("2021-03-05T10:00:00.123+02:00", "2021-03-05 08:00"),
        ("2021-03-05 10:00:00-0530", "2021-03-05 15:30"),
        ("20210305T101500", "2021-03-05 10:15"),
        ("10/Oct/2000:13:55:36 -0700", "2000-10-10 20:55"),
        ("[10/Oct/2000:13:55:36 -0700]", "2000-10-10 20:55"),
        ("Wed Oct 10 20:19:24 +0000 2018", "2018-10-10 20:19"),
        ("Mon Apr 06 22:19:45 PDT 2009", "2009-04-06 22:19"),
        ("Tue, 05 Jan 2021 13:55:36 GMT", "2021-01-05 13:55"),
        ("5 Jan 2021, 3pm", "2021-01-05 15:00"),
    ],
)
def test_a_date_is_read_as_it_is_written(text, date):
    days, _order, notes = read([text, text, "?"])
    assert days == [date, date, None]
    assert notes.endswith("x: dates, taken as a number of days")


@pytest.mark.parametrize(
    "texts",
    [
        ["192.168.1.1", "10.0.0.1"],
        ["1.2.3", "1.2.10"],
        ["10.2.13", "11.0.12"],
        ["555-1234", "555-4321"],
        ["555-12-1234", "555-10-4321"],
        ["[10-20)", "[20-30)"],
        ["10-20", "1-2"],
        ["18-24", "25-34"],
        ["2009-10", "2010-11", "2011-12"],
        ["120/80", "130/85"],
        ["3:1", "2:0"],
        ["30/02/2021", "31/04/2021"],
        ["00:1B:44:11:3A:B7", "01:1B:44:11:3A:B7"],
        ["https://x.org/2021/03/05", "https://x.org/2021/03/06"],
        ["T-1000", "T-2000"],
        ["a:b", "c.d/e-f"],
        ["", "?"],
    ],
)
def test_a_text_with_digits_that_is_no_date_is_none_and_no_error(texts):
    assert read(texts)[0] is None


def test_the_order_is_told_by_the_fields_that_can_only_be_days():
    assert read(["3/4/2021", "13/4/2021"])[1] == "dmy"
    assert read(["3/4/21", "4/13/21"])[1] == "mdy"
    assert read(["21-03-05", "99-12-31"])[1] == "ymd"
    days, order, _notes = read(["03.04.21", "05.06.21", "12.01.22", "11.01.20", "10.02.21"])
    assert (days[0], order) == ("2021-04-03", "dmy")


def test_what_stays_ambiguous_is_said_and_can_be_overridden():
    texts = ["3/4/2021", "7/6/2021", "1/2/2021"]
    days, order, notes = read(texts)
    assert (days[0], order) == ("2021-04-03", "dmy")
    assert "every date could have the day or the month first; taken as day first" in notes
    assert "--column x=date-mdy" in notes
    days, order, notes = read(texts, order="mdy")
    assert (days[0], order) == ("2021-03-04", "mdy")
    assert "every date" not in notes


def test_rows_that_rise_in_one_order_and_other_columns_decide():
    months = [f"{month:02}/{day:02}/2021" for month in (1, 2, 3) for day in (2, 5, 9)]
    days, order, notes = read(months)
    assert (order, days[-1]) == ("mdy", "2021-03-09")
    assert "only so do the dates rise from row to row" in notes
    _days, order, notes = read(["3/4/2021", "7/6/2021", "1/2/2021"], elsewhere=["mdy"])
    assert order == "mdy"
    assert "the only order that another column allows" in notes


def test_two_digit_years_are_said():
    days, _order, notes = read(["13/1/68", "13/1/69"])
    assert days == ["2068-01-13", "1969-01-13"]
    assert "two-digit years are taken for 1969 to 2068" in notes
    assert "two-digit" in read(["12-Mar-21"])[2]


def test_whole_numbers_may_be_dates():
    days = read_compact(np.array([20210305.0, np.nan, 20211231]))
    np.testing.assert_array_equal(days, [18691, np.nan, 18992])
    assert read_compact(np.array([20210305.0, 20211332])) is None
    assert read_compact(np.array([1.5, 2])) is None
    assert read_compact(np.arange(202101.0, 202113))[0] == 18628


@pytest.mark.parametrize(
    "none", ["9999-12-31", "31/12/9999", "0000-00-00", "0001-01-01 00:00:00", "00/00/0000"]
)
def test_dates_that_stand_for_none_are_missing_at_any_share(none):
    dates, _order, notes = read(["2021-03-14", none, none, none, "2020-12-31"])
    assert dates == ["2021-03-14", None, None, None, "2020-12-31"]
    assert f"dates that count as missing: {none}: 3" in notes
