"""Find the files of a published data set, or download them, checked against their checksums."""

from __future__ import annotations

import logging
import os
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from descenso.data._idx import broken
from descenso.errors import DataError
from descenso.language import _

DATA_VARIABLE = "DESCENSO_DATA"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Source:
    """Where a data set is published.

    Attributes
    ----------
    folder : the name of its folder under ``DESCENSO_DATA`` and in the cache.
    base_url : what the names of its files are appended to.
    files : name → SHA-256 of each file to download.
    members : if there is one archive to download, the files to take out of its ``folder``.
    """

    folder: str
    base_url: str
    files: Mapping[str, str]
    members: tuple[str, ...] = ()


MNIST = Source(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    {
        "train-images-idx3-ubyte.gz": (
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
        ),
        "train-labels-idx1-ubyte.gz": (
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
        ),
        "t10k-images-idx3-ubyte.gz": (
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
        ),
        "t10k-labels-idx1-ubyte.gz": (
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
        ),
    },
)
FASHION_MNIST = Source(
    "fashion-mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    {
        "train-images-idx3-ubyte.gz": (
            "08dc20ab1689590a0bcd66e874647b6ee8464e2d501b5a3f1f78831db19a3fdc"
        ),
        "train-labels-idx1-ubyte.gz": (
            "b0197879cbda89f3dc7b894f9fd52b858e68ea4182b6947c9d8c2b67e5f18dcc"
        ),
        "t10k-images-idx3-ubyte.gz": (
            "78dcbbfb5a27efaf1b6c1d616caca68560be8766c5bffcb2791df9273a534229"
        ),
        "t10k-labels-idx1-ubyte.gz": (
            "42bd18137a62d5998cdeae52bf3a0676ac6b706f5cf8439b47bb5b151ae3dccf"
        ),
    },
)
CIFAR10 = Source(
    "cifar-10-batches-bin",
    "https://www.cs.toronto.edu/~kriz/",
    {
        "cifar-10-binary.tar.gz": (
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
        )
    },
    members=(*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"),
)


def folder_of(source: Source, base_url: str | None = None) -> Path:
    """Return the folder that holds a data set's files, downloading them if need be.

    Raises
    ------
    DataError
        If they are not there and cannot be downloaded, or are not the published files.
    """
    given = os.environ.get(DATA_VARIABLE)
    if given and (Path(given) / source.folder).is_dir():
        return Path(given) / source.folder
    return download(source, cache(), base_url or source.base_url)


def cache() -> Path:
    """Return the folder that downloads go to."""
    return Path(platformdirs.user_cache_dir("descenso")) / "data"


def download(source: Source, into: Path, base_url: str) -> Path:
    """Download what is missing of a data set into a folder of ``into``, and return that folder."""
    folder = into / source.folder
    if source.members and folder.is_dir():
        return folder  # it appears only when all of its files are there
    destination = into if source.members else folder
    files = [
        _fetch(f"{base_url.rstrip('/')}/{name}", name, checksum, destination, source)
        for name, checksum in source.files.items()
    ]
    if source.members:
        _unpack(files[0], folder, source.members)
    return folder


def _fetch(url: str, name: str, checksum: str, destination: Path, source: Source) -> Path:
    import pooch

    if not url.startswith(("http://", "https://")):
        raise DataError(_("{url}: a download begins with http:// or https://").format(url=url))
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        # pooch writes beside the destination and moves the file there once its checksum is right.
        path = pooch.retrieve(
            url,
            known_hash=f"sha256:{checksum}",
            fname=name,
            path=destination,
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS),
        )
    except OSError as error:  # the network's errors are of this kind too
        raise _absent(url, source, error) from error
    except ValueError as error:  # what pooch raises for a checksum; nothing is left behind
        raise DataError(
            _(
                "{url}: what was downloaded is not the published file (its SHA-256 should be "
                "{checksum}); it was thrown away"
            ).format(url=url, checksum=checksum)
        ) from error
    return Path(path)


def _absent(url: str, source: Source, error: OSError) -> DataError:
    """Return the error that says how to obtain a data set by other means."""
    return DataError(
        _(
            "{folder} is not here, and {url} cannot be downloaded ({reason}). Put {files} into a "
            "folder named {folder}, and set {variable} to the folder that holds it{now}."
        ).format(
            folder=source.folder,
            url=url,
            reason=_reason(error),
            files=", ".join(source.members or source.files),
            variable=DATA_VARIABLE,
            now=_(" (now {place})").format(place=given)
            if (given := os.environ.get(DATA_VARIABLE))
            else "",
        )
    )


def _reason(error: OSError) -> str:
    """Return what happened, without the objects in which the network's errors wrap it."""
    inner = getattr(error.args[0] if error.args else None, "reason", error)
    return str(inner).rpartition("): ")[2]


def _unpack(archive: Path, folder: Path, members: tuple[str, ...]) -> None:
    """Take the members out of the archive; the folder appears only when it is complete."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        complete = Path(scratch) / folder.name
        complete.mkdir()
        try:
            with tarfile.open(archive) as tar:
                for name in members:
                    content = tar.extractfile(f"{folder.name}/{name}")
                    if content is None:
                        raise KeyError(name)
                    (complete / name).write_bytes(content.read())
        except (tarfile.TarError, KeyError, EOFError) as error:
            raise broken(
                archive, _("it does not hold what it should ({error})").format(error=error)
            ) from error
        _appear(complete, folder)
    archive.unlink(missing_ok=True)


def _appear(complete: Path, folder: Path) -> None:
    try:
        complete.rename(folder)
    except OSError:
        if not folder.is_dir():  # another process may have been faster, with the same files
            raise
