import hashlib
import http.server
import tarfile
import threading
from functools import partial

import pytest

from descenso import data
from descenso.data import _download
from descenso.data._download import CIFAR10, Source, download
from descenso.errors import DataError
from descenso.testing.datasets import write_cifar10, write_mnist


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def published(tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    return folder


@pytest.fixture
def url(published):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(published))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv("DESCENSO_DATA", raising=False)
    monkeypatch.setattr(_download, "cache", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def checksums(*paths):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def everything_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_downloaded_files_are_read_and_kept(published, url, cache):
    folder = write_mnist(published, train=20, test=10)
    source = Source("mnist", f"{url}/mnist/", checksums(*folder.iterdir()))
    first = data.read_mnist(download(source, cache, source.base_url))
    for path in folder.iterdir():
        path.unlink()  # the second time, nothing is asked of the server
    again = data.read_mnist(download(source, cache, source.base_url))
    assert len(first.train) == len(again.train) == 20


def test_a_file_that_is_not_the_published_one_is_refused_and_not_kept(published, url, cache):
    write_mnist(published, train=20, test=10)
    with pytest.raises(DataError, match=r"not the published file.*thrown away"):
        data.load_mnist(f"{url}/mnist")
    assert everything_in(cache) == []


def test_a_file_that_is_not_there_is_told_with_what_to_do(url, cache):
    says = r"404.* Put train-images-idx3-ubyte.gz, .* folder named fashion-mnist, and set DESCENSO_DATA"
    with pytest.raises(DataError, match=says):
        data.load_fashion_mnist(url)
    assert everything_in(cache) == []


def test_a_server_that_does_not_answer_is_a_data_error(cache):
    with pytest.raises(DataError, match=r"cannot be downloaded \(.*Connection refused\)\. Put"):
        data.load_mnist("http://127.0.0.1:9/")


def test_a_folder_of_data_that_lacks_the_set_is_named(tmp_path, monkeypatch, cache):
    monkeypatch.setenv("DESCENSO_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"test_batch.bin into .* \(now ") as told:
        data.load_cifar10("http://127.0.0.1:9/")
    assert str(tmp_path) in str(told.value)


def test_a_url_of_another_kind_is_refused(cache):
    with pytest.raises(DataError, match="begins with http"):
        data.load_mnist("ftp://example.org/")


def pack(published, names):
    folder = write_cifar10(published, train=10, test=5)
    archive = published / "cifar-10-binary.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in names:
            tar.add(folder / name, f"{folder.name}/{name}")
    return Source(CIFAR10.folder, "", checksums(archive), CIFAR10.members)


def test_an_archive_is_unpacked_whole(published, url, cache):
    source = pack(published, CIFAR10.members)
    folder = download(source, cache, url)
    assert len(data.read_cifar10(folder).train) == 10
    assert everything_in(cache) == sorted(CIFAR10.members)


def test_an_archive_that_lacks_a_file_leaves_no_folder(published, url, cache):
    source = pack(published, CIFAR10.members[:-1])
    with pytest.raises(DataError, match=r"test_batch\.bin"):
        download(source, cache, url)
    assert not (cache / CIFAR10.folder).exists()


def test_descenso_data_comes_before_the_network(tmp_path, monkeypatch, cache):
    write_mnist(tmp_path, train=20, test=10)
    monkeypatch.setenv("DESCENSO_DATA", str(tmp_path))
    assert len(data.load_mnist("http://127.0.0.1:9/").train) == 20
