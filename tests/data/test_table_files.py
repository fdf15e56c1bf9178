"""Files as people export them: each is read as the table it holds, and what was inferred is said."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest

from descenso.data import file_kinds
from descenso.data._table_files import read_arrays, read_table
from descenso.errors import DataError

TABLE = pd.DataFrame(
    {"name": ["ana", "josé", "lía"], "age": [31, 40, 28], "height": [1.6, 1.8, 1.7]}
)
TEXT = "name,age,height\nana,31,1.6\njosé,40,1.8\nlía,28,1.7\n"
ROWS = "".join(f"{i},{i * i},{i % 3}\n" for i in range(12))


@pytest.fixture
def read(tmp_path):
    """Return a function: bytes and a name → the frame and what was said."""

    def read_bytes(content, name="table.csv", delimiter=None, encoding=None):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        said = []
        frame = read_table(path, delimiter, encoding, said.append)
        return frame, "\n".join(said)

    return read_bytes


def zipped(*names, content=TEXT):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


def compressed_by_zstandard(content):
    return pytest.importorskip("zstandard").compress(content)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_the_encoding_is_inferred(read, encoding):
    frame, said = read(TEXT.encode(encoding))
    pd.testing.assert_frame_equal(frame, TABLE)
    assert ("read as" in said) == (not encoding.startswith("utf-8"))


def test_a_byte_that_is_no_utf8_is_met_however_far_down(read):
    rows = "plain,1,2.5\n" * 200_000
    frame, said = read(b"name,age,height\n" + rows.encode() + "Peña,2,3.5\n".encode("cp1252"))
    assert frame["name"].iloc[-1] == "Peña"
    assert f"read as Windows-1252, for it is no UTF-8 (byte {16 + len(rows) + 2})" in said


def test_an_encoding_that_was_asked_for_and_does_not_fit_is_named(read):
    with pytest.raises(DataError, match=r"cannot be read as ascii .*; name its encoding"):
        read(TEXT, encoding="ascii")
    with pytest.raises(DataError, match="there is no encoding 'utf-7b'"):
        read(TEXT, encoding="utf-7b")


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("t.csv.gz", gzip.compress), ("t.csv.bz2", bz2.compress), ("t.csv.xz", lzma.compress),
        ("t.csv.zst", compressed_by_zstandard), ("t.csv.zip", lambda _c: zipped("t.csv")),
        ("t.csv", gzip.compress), ("t.zip.csv", lambda _c: zipped("__MACOSX/._t.csv", "a/t.csv")),
    ],
)  # fmt: skip
def test_a_compressed_file_is_read_whatever_its_name(read, name, compress):
    frame, _said = read(compress(TEXT.encode()), name)
    pd.testing.assert_frame_equal(frame, TABLE)


def test_an_archive_of_several_files_is_refused_with_their_names(read):
    with pytest.raises(DataError, match=r"holds 2 files \(train.csv, test.csv\); unpack it"):
        read(zipped("train.csv", "test.csv"), "t.csv.zip")


def test_a_file_that_expands_without_measure_is_refused(read, monkeypatch):
    monkeypatch.setattr(file_kinds, "_MOST_BYTES", 2**20)
    bomb = gzip.compress(b"a,b\n" + b"0,0\n" * 2**20)
    with pytest.raises(DataError, match=r"holds more than 1 MB once decompressed"):
        read(bomb, "t.csv.gz")


def test_arrays_and_sheets_that_expand_without_measure_are_refused(read, monkeypatch, tmp_path):
    monkeypatch.setattr(file_kinds, "_MOST_BYTES", 2**20)
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((2**18, 4)), y=np.zeros(2**18))
    with pytest.raises(DataError, match=r"holds more than 1 MB once decompressed"):
        read_arrays(tmp_path / "x.npz", None, print)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 2**21)
    with pytest.raises(DataError, match=r"holds more than 1 MB once decompressed"):
        read(buffer.getvalue(), "t.xlsx")


def test_a_device_and_a_folder_are_no_tables(tmp_path):
    for path, says in (("/dev/zero", "a device or a pipe"), (tmp_path, "a folder, not a file")):
        with pytest.raises(DataError, match=says):
            read_table(type(tmp_path)(path), None, None, print)


@pytest.mark.parametrize(
    ("before", "sign", "says"),
    [
        ("sep=;\r\n", ";", "separated by ;"),
        ('"sep=;"\n', ";", "separated by ;"),
        ("sep=\t\n", "\t", r"separated by \t"),
        ("# exported 2024-01-02\n# by hand\n", ",", "skipped before the header: 2"),
        ("Sales report\n\nMay, 2024\n", ",", "skipped before the header: 3 (the first is 'Sales"),
        ("Report,,\n,,\n", ",", "skipped before the header: 2"),
        ("\n\n", ",", "separated by ,"),
    ],
)
def test_what_stands_before_the_header_is_skipped(read, before, sign, says):
    frame, said = read(before + f"a{sign}b{sign}c\n" + ROWS.replace(",", sign))
    assert list(frame.columns) == ["a", "b", "c"]
    assert frame.shape == (12, 3)
    assert says in said


def test_a_header_may_begin_as_a_remark_does(read):
    frame, _said = read("#id,b,c\n" + ROWS)
    assert list(frame.columns) == ["#id", "b", "c"]


def test_a_line_break_in_quotes_ends_no_record(read):
    frame, _said = read('"first\nname",note,y\n' + 'a,"two\nlines, one cell",1\r\n' * 5)
    assert list(frame.columns) == ["first name", "note", "y"]
    assert frame["note"].unique() == ["two\nlines, one cell"]
    assert len(frame) == 5


@pytest.mark.parametrize("header", ["a,b,c\n", "a,b,c,\n"])
@pytest.mark.parametrize("ends_from", [0, 6, 300])
def test_a_delimiter_at_the_end_of_rows_makes_no_column(read, header, ends_from, monkeypatch):
    monkeypatch.setattr("descenso.data.text_tables._SAMPLE", 1500)
    lines = [f"{i},{i * i},x{'' if i < ends_from else ','}" for i in range(600)]
    frame, _said = read(header + "\n".join(lines) + "\n")
    assert list(frame.columns) == ["a", "b", "c"]
    assert frame["a"].tolist() == list(range(600))


def test_row_names_without_a_header_stay_a_column(read):
    frame, said = read("a b\n" + "".join(f'"{i}" {i / 2} {i % 3}\n' for i in range(9)))
    assert list(frame.columns) == ["Unnamed: 0", "a", "b"]
    assert "the first column has no name in the header" in said


def test_rows_of_more_cells_than_the_header_are_named(read):
    with pytest.raises(DataError, match="row 16 has 5 cells, and the header names 3; quote cells"):
        read("title\n\na,b,c\n" + ROWS + "1,2,3,4,5\n")


def test_joined_files_blank_rows_and_totals_leave_the_columns_as_they_are(read):
    frame, said = read("a;b;c;;\n" + (ROWS.replace(",", ";") + ";;\n") * 2 + "a;b;c\n"
                       + ROWS.replace(",", ";") + "(36 rows affected)\n")  # fmt: skip
    assert frame.shape == (36, 3)
    assert all(dtype == np.int64 for dtype in frame.dtypes)
    for text in (
        "columns without a name and without cells are left out: 2",
        "rows without cells are left out: 2",
        "the header comes again in rows, which are left out: 1",
        "the last rows hold one cell and are left out: 1",
    ):
        assert text in said


def test_rows_of_which_only_the_first_cell_is_filled_may_be_data(read):
    frame, _said = read("a,b,c\n" + "1,,\n2,3,4\n" * 20 + "1,,\n")
    assert len(frame) == 41


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("country,1990,1991,1992\nes,1.5,2.5,3.5\nmx,2.5,3.5,4.5\n", ["country", "1990"]),
        ("x 1,7\n", None),
    ],
)
def test_numbers_that_grow_by_one_step_may_name_columns(read, text, names):
    if names is None:
        with pytest.raises(DataError, match="the table has no rows"):
            read(text)
    else:
        assert list(read(text)[0].columns)[:2] == names


def test_a_table_without_a_header_is_refused(read):
    iris = "".join(f"5.{i},3.{i},0.2,Iris-{'ab'[i % 2]}\n" for i in range(9))
    with pytest.raises(DataError, match=r"holds data \('5.0,3.0,0.2,Iris-a'\); .* 4 names"):
        read(iris)


@pytest.mark.parametrize("engine", ["xlsx", "ods"])
def test_a_spreadsheet_is_read_under_any_name(read, tmp_path, engine):
    pytest.importorskip("python_calamine")
    book = SPREADSHEETS[engine]()
    frame, said = read(book, "t.csv")
    assert list(frame.columns) == ["name", "age"]
    assert frame["age"].tolist() == [31, 40]
    assert "read as Excel or ODS" in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7\n", "a PDF document"),
        (b"<!DOCTYPE html><html></html>", "an HTML page; save the table itself"),
        (b'{"a": [1, 2]}', "JSON; write the table as CSV"),
        (b"\x80\x04\x95rest", "a pickle; pickles run code"),
        (b"SQLite format 3\x00more", "an SQLite database"),
        (b"@relation iris\n", "an ARFF file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "run git lfs pull"),
        (b"a,b\n1,\x00\x01\x02\n" * 9, "a binary file, not a text"),
        (b"PK\x03\x04cut", "a zip archive but is damaged"),
        (gzip.compress(TEXT.encode())[:-12], "it cannot be read"),
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"abc\n1\n", "only one column"),
        (b'a,b\n1,"open\n2,3\n', "a quote that opens in row 2 does not close; the file is cut off"),
    ],
)
def test_what_is_no_table_is_named_for_what_it_is(read, content, says):
    with pytest.raises(DataError, match=says):
        read(content)


def _xml_zip(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _xlsx():
    """Return a workbook of two sheets; a title stands above the header of the second."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    cells = [["People"], ["name", "age"], ["ana", 31], ["josé", 40]]
    rows = "".join(
        f'<row r="{r}">' + "".join(
            f'<c r="{"AB"[c]}{r}"><v>{v}</v></c>' if isinstance(v, int)
            else f'<c r="{"AB"[c]}{r}" t="inlineStr"><is><t>{v}</t></is></c>'
            for c, v in enumerate(row)
        ) + "</row>" for r, row in enumerate(cells, 1)
    )  # fmt: skip
    sheet = '<worksheet xmlns="{}"><sheetData>{}</sheetData></worksheet>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    return _xml_zip({
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/s1.xml" ContentType="{kind}worksheet+xml"/>'
        f'<Override PartName="/xl/worksheets/s2.xml" ContentType="{kind}worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>'
        '<sheet name="empty" sheetId="1" r:id="r1"/><sheet name="people" sheetId="2" r:id="r2"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{relations}/worksheet" Target="worksheets/s1.xml"/>'
        f'<Relationship Id="r2" Type="{relations}/worksheet" Target="worksheets/s2.xml"/>'
        "</Relationships>",
        "xl/worksheets/s1.xml": sheet.format(main, ""),
        "xl/worksheets/s2.xml": sheet.format(main, rows),
    })  # fmt: skip


PEOPLE = {"people": [["name", "age"], ["ana", 31], ["josé", 40]]}


def ods(sheets=PEOPLE):
    """Return an OpenDocument spreadsheet of sheets: name to rows of texts and numbers."""
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    table = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
    text = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"

    def cell(value):
        if not isinstance(value, str):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    tables = "".join(
        f'<table:table table:name="{name}">'
        + "".join(f"<table:table-row>{''.join(map(cell, r))}</table:table-row>" for r in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return _xml_zip({
        "mimetype": kind,
        "META-INF/manifest.xml": "<manifest:manifest "
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>',
        "content.xml": f'<office:document-content xmlns:office="{office}" '
        f'xmlns:table="{table}" xmlns:text="{text}"><office:body><office:spreadsheet>'
        f"{tables}</office:spreadsheet></office:body></office:document-content>",
    })  # fmt: skip


SPREADSHEETS = {"xlsx": _xlsx, "ods": ods}


def _with_far_cell(kind):
    """Return a workbook of a few bytes whose two cells span the whole sheet."""
    book = io.BytesIO(SPREADSHEETS[kind]())
    with zipfile.ZipFile(book) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    if kind == "xlsx":
        far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
        name = "xl/worksheets/s2.xml"
        files[name] = files[name].replace("</sheetData>", far)
    else:
        blank = '<table:table-cell table:number-columns-repeated="16383"/>'
        one = '<table:table-cell office:value-type="float" office:value="1"/>'
        far = (
            '<table:table-row table:number-rows-repeated="1048570">' + blank + "</table:table-row>"
            f"<table:table-row>{blank}{one}</table:table-row></table:table>"
        )
        files["content.xml"] = files["content.xml"].replace("</table:table>", far)
    return _xml_zip(files)


@pytest.mark.parametrize("kind", SPREADSHEETS)
def test_a_cell_far_from_the_table_is_refused_before_the_sheet_is_read(read, kind):
    pytest.importorskip("python_calamine")
    with pytest.raises(
        DataError, match=r"has [78] cells, spread over 10485\d\d rows and 16384 col"
    ):
        read(_with_far_cell(kind), f"t.{kind}")


@pytest.mark.parametrize(
    ("prices", "texts"),
    [
        (["1.234", "900", "12.500"], True),  # pandas alone would read 1.234, 900 and 12.5
        (["0.234", "900", "12.500"], False),
        (["1.5", "2.25", "12.125"], True),
        (["1.2345", "900", "12.500"], False),
    ],
)
def test_points_that_may_separate_thousands_are_kept(read, prices, texts):
    frame, _said = read("price;rooms\n" + "".join(f"{price};3\n" for price in prices))
    kept = frame["price"].tolist()
    assert kept == (prices if texts else [float(price) for price in prices])
    commas, _said = read("price,rooms\n" + "".join(f"{price},3\n" for price in prices))
    assert commas["price"].tolist() == [float(price) for price in prices]


NUMBERED = "".join(f"{i}.5,{'uvw'[i % 3]},{i * i}\n" for i in range(12))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b,y\n" + NUMBERED, ""),
        (("a,b,y\n" + NUMBERED).replace(",", "^"), "separated by ^"),
        (("a,b,y\n" + NUMBERED).replace(",", ":"), "separated by :"),
        (("a,b,y\n" + NUMBERED).replace(",", "\x01"), "separated by \x01"),
        (("a,b,y\n" + NUMBERED).replace(",", "  ").replace("  u", "\tu"), "separated by ' '"),
        ("|1x3 Cross validator\na,b,y\n" + NUMBERED, "skipped before the header: 1"),
        ("Station:,Madrid\nLat:,40.1\nUnit:,mm\n\na,b,y\n" + NUMBERED, "skipped before the header: 4"),
        ("Station:,Madrid\n\na,b,y\n" + NUMBERED, "skipped before the header: 2"),
        ("a,b,y\ns,,mm\n" + NUMBERED, "holds no values and is left out: s, mm"),
        ("a,b,y\nTotal,,99\n" + NUMBERED, "rows that sum up the others are left out: 1"),
        ("b,a,y\n" + "".join(",".join(np.array(r.split(","))[[1, 0, 2]]) + "\n" for r in NUMBERED.split())
         + "TOTAL:,72,506\n", "rows that sum up the others are left out: 1"),
        ("| a | b | y |\n|--|:-:|--|\n" + "".join(f"|{r.replace(',', '|')}|\n" for r in NUMBERED.split()),
         "lines drawn between rows are left out: 1"),
        ("+---+---+---+\n| a | b | y |\n+---+---+---+\n"
         + "".join(f"|{r.replace(',', '|')}|\n" for r in NUMBERED.split()) + "+---+---+---+\n",
         "lines drawn between rows are left out: 2"),
        ("'a','b','y'\n" + NUMBERED.replace("u", "'u'"), "cells are quoted by '"),
        ("".join(f'"{line}"\n' for line in ("a,b,y\n" + NUMBERED).split()),
         "each line is quoted as a whole"),
    ],
    ids=["plain", "caret", "colon", "hive", "tab among spaces", "remark", "fields", "one field", "units",
         "total first", "total last", "markdown", "drawn", "single quotes", "whole lines"],
)  # fmt: skip
def test_a_table_is_read_as_programs_and_people_lay_it_out(read, text, says):
    frame, said = read(text)
    assert says in said
    assert {*frame.columns} == {"a", "b", "y"}
    np.testing.assert_array_equal(frame["a"].astype(float), np.arange(12) + 0.5)
    np.testing.assert_array_equal(frame["y"].astype(float), np.arange(12) ** 2)
    assert frame["b"].str.strip().tolist() == list("uvw" * 4)


def test_quotes_may_be_escaped_by_a_backslash(read):
    frame, said = read("a,b\n" + 'x,1\n"say \\"hi\\", she said",2\n' * 5)
    assert frame["a"][1] == 'say "hi", she said'
    assert "is taken for a quote" in said
    frame, said = read('a,b\n"C:\\dir\\",1\n"D:\\",2\n')
    assert frame["a"].tolist() == ["C:\\dir\\", "D:\\"]
    assert "taken for a quote" not in said


def test_a_single_quote_keeps_the_delimiter_in_its_cell(read):
    frame, _said = read("'a','b'\n'x, y',1\n'O''Hara',2\n")
    assert frame["a"].tolist() == ["x, y", "O'Hara"]


def test_a_group_that_is_named_total_stays(read):
    rows = "".join(f"{sex},{i},{i * i}\n" for i in range(8) for sex in ("Men", "Women", "Total"))
    frame, said = read("sex,year,count\n" + rows)
    assert len(frame) == 24
    assert "sum up" not in said


def test_points_that_may_separate_thousands_are_kept_when_rows_leave(read):
    prices = ["1.234", "2.500", "900", "800", "700", "3.100"] * 2
    rows = "".join(f"p{i};{i};{price}\n" for i, price in enumerate(prices))
    frame, _said = read("name;n;price\n" + rows + "Total;66;18.468\n")
    assert frame["price"].tolist() == prices


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[\n  {"a": 1},\n  {"a": 2}\n]', "is JSON; write"),
        ('{"a": 1}\n{"a": 2}\n', "lines=True"),
        ("h - - 200 5\nh - - 404 6\nh - - 200 7\n", "the first line holds data"),
        ("a,b,y\n" + NUMBERED + "\na,b,c,d\n1,2,3,4\n", "row 15 has 4 cells"),
    ],
)
def test_what_is_wrong_is_named_once_with_what_to_do(read, text, says):
    with pytest.raises(DataError, match=says) as error:
        read(text)
    assert str(error.value).count("table.csv") == 1


def test_a_guessed_encoding_says_how_to_name_another(read):
    frame, said = read("Город;y\nМосква;1\nКазань;2\n".encode("cp1251"))
    assert "--encoding names another" in said
    assert "Город" not in frame.columns
    assert "Город" in read("Город;y\nМосква;1\n".encode("cp1251"), encoding="cp1251")[0].columns


def test_columns_of_one_name_are_numbered(read):
    frame, said = read("a,b,a,a.1\n" + "1,2,3,4\n5,6,7,8\n")
    assert frame.columns.tolist() == ["a", "b", "a.2", "a.1"]
    assert "columns of one name are numbered: a.2" in said


@pytest.mark.parametrize(
    ("last", "kept"), [("Media,3,5.5", 12), ("Media,3,9", 13), ("Total,36,66", 12)]
)
def test_a_row_named_as_a_mean_leaves_only_if_it_is_one(read, last, kept):
    rows = "".join(f"u{i % 5},{i % 3},{i}\n" for i in range(12))
    frame, _said = read("who,a,y\n" + rows + last + "\n")
    assert len(frame) == kept


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("shift_jis", "名前,都市,カタカナ"), ("euc_kr", "이름,나이,도시"), ("gb18030", "姓名,年龄,城市"),
        ("cp1251", "имя,возраст,город"), ("cp1253", "όνομα,ηλικία,πόλη"),
    ],
)  # fmt: skip
def test_an_encoding_that_is_not_western_is_named(read, encoding, words):
    text = f"{words}\n" + f"1,{words.split(',')[0]},2\n" * 20
    _frame, said = read(text.encode(encoding))
    assert f"it is probably {encoding}: give --encoding {encoding}" in said


def test_western_texts_are_given_no_other_encoding(read):
    _frame, said = read(("año,niño,Größe\n" + "España,Ñandú,élève\n" * 20).encode("cp1252"))
    assert "probably" not in said


def test_the_one_table_beside_a_readme_is_read(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in ("README.md", "data/.hidden", "LICENSE"):
            file.writestr(name, "words")
        file.writestr("data/a.csv", "a,b\n1,2\n3,4\n")
    assert read_table(path, None, None, print).shape == (2, 2)


def test_codes_stay_codes_where_a_total_stands_below_them(read):
    rows = "".join(f"{k * 37:04d},{k}.5,{k}\n" for k in range(30))
    frame, _said = read(f"sku,x,y\n{rows}Total,,435\n")
    assert frame["sku"].tolist()[:2] == ["0000", "0037"]
    assert len(frame) == 30
    assert frame["x"].dtype.kind == "f"


@pytest.mark.parametrize("last", ["Grand Total", "Total general"])
def test_sums_of_groups_are_left_out_wherever_they_stand(read, last):
    rows = [f"north,{k},{2 * k}" if k < 40 else f"south,{k},{2 * k}" for k in range(80)]
    rows.insert(40, "Subtotal,780,1560")
    frame, said = read("\n".join(["region,x,sales", *rows, "Subtotal,,4760", f"{last},,6320", ""]))
    assert len(frame) == 80
    assert frame["region"].tolist() == ["north"] * 40 + ["south"] * 40
    assert "rows that sum up the others are left out: 3" in said
