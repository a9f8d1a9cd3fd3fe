"""The host folder that keeps a cluster's data and secrets, and the card that says whose it is.

The card is where the node sees it too, which proves that a folder and a cluster belong together.
Without it nothing here is used or deleted.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from k8s.cluster import Cluster
from k8s.tools import say
from lakepulse.outcome import PermanentError

CARD = "lakepulse-cluster.json"
"""Name of the card, in the folder that the node mounts."""

OWNERS = {"minio": 10001, "postgres": 999}
"""Folder of the kept data -> the user that its pod runs as."""

_SECRETS = ("lakepulse-*.json", ".lakepulse-*.partial")
_MANIFESTS = ("argo-v*.yaml", "argo-v*.partial")


def claim(cluster: Cluster) -> None:
    """Make the folder with its card, or check the card; secrets are their owner's alone.

    Raises:
        PermanentError: the folder holds something else, or another cluster's data.
    """
    if _card(cluster) is None:
        # A folder of version 0.1.0 has no card yet, and nothing but what it made itself.
        foreign = next(_foreign(cluster), None)
        if foreign is not None:
            raise PermanentError(
                f"CLUSTER_DATA: {cluster.folder} was not made by lakepulse, it has {foreign}; name another folder"
            )
        cluster.data.mkdir(parents=True, exist_ok=True)
        partial = cluster.data / f"{CARD}.partial"
        card = {"made_by": "lakepulse", "cluster": cluster.name, "id": secrets.token_hex(16)}
        partial.write_text(json.dumps(card) + "\n", encoding="utf-8")
        partial.replace(cluster.data / CARD)
    cluster.secrets.mkdir(exist_ok=True)
    cluster.secrets.chmod(0o700)


def _card(cluster: Cluster) -> str | None:
    """The text of the folder's card, None without one.

    Raises:
        PermanentError: it cannot be read, or is another cluster's.
    """
    path = cluster.data / CARD
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text)
        made_by, name, _ = found["made_by"], found["cluster"], found["id"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise PermanentError(f"{path} is damaged; restore it from a copy, or name another CLUSTER_DATA") from None
    if (made_by, name) != ("lakepulse", cluster.name):
        raise PermanentError(
            f"CLUSTER_DATA: {cluster.folder} belongs to the cluster {name}, not to {cluster.name}; "
            f"set CLUSTER_NAME={name}, or name another folder"
        )
    return text


def is_card_of(cluster: Cluster, text: str) -> bool:
    """Whether `text`, the card that a node sees, is the folder's own."""
    return text.strip() == (_card(cluster) or "-").strip()


def _own(cluster: Cluster) -> Iterator[Path]:
    """What lakepulse makes in the folder, as far as it exists."""
    yield from (path for name in OWNERS if (path := cluster.data / name).exists())
    for folder, patterns in ((cluster.secrets, _SECRETS), (cluster.folder, _MANIFESTS), (cluster.data, (f"{CARD}*",))):
        for pattern in patterns:
            yield from sorted(folder.glob(pattern))


def _foreign(cluster: Cluster) -> Iterator[Path]:
    """What is in the folder and was not made by lakepulse."""
    own = {cluster.data, cluster.secrets, *_own(cluster)}
    for folder in (cluster.folder, cluster.data, cluster.secrets):
        if folder.is_dir():
            yield from (path for path in sorted(folder.iterdir()) if path not in own)
        elif folder.exists():
            yield folder


def removable(cluster: Cluster) -> list[Path]:
    """What `remove` would delete; nothing if the folder is missing or empty.

    Raises:
        PermanentError: the folder has no card of this cluster.
    """
    if not cluster.folder.exists() or (cluster.folder.is_dir() and not any(cluster.folder.iterdir())):
        return []
    if _card(cluster) is None:
        raise PermanentError(
            f"CLUSTER_DATA: {cluster.folder} has no {cluster.data.name}/{CARD}, so it was not made by this version of "
            "lakepulse and nothing is deleted; if it is an older version's, run make cluster once, or delete it yourself"
        )
    return list(_own(cluster))


def remove(cluster: Cluster, paths: list[Path], clear: Callable[[list[Path]], None]) -> None:
    """Delete what `removable` listed, and the folders that are empty then.

    `clear` deletes folders of the pods' users, where this user may not.

    Raises:
        PermanentError: something could not be deleted; the message names it.
    """
    locked: list[Path] = []
    for path in paths:
        if path.parent == cluster.data and path.name in OWNERS:
            shutil.rmtree(path, ignore_errors=True)
            if path.exists():
                locked.append(path)
    if locked:
        clear(locked)
    card = cluster.data / CARD
    for path in paths:
        if path != card and not path.is_dir():
            path.unlink(missing_ok=True)
    left = [str(path) for path in paths if path != card and path.exists()]
    if not left:
        card.unlink()  # last: what is interrupted here can be repeated
    say(f"removed {sum(not path.exists() for path in paths)} of {len(paths)} files and folders in {cluster.folder}")
    if left:
        raise PermanentError(f"could not remove {', '.join(left)}; delete it yourself, then run again")
    for folder in (cluster.data, cluster.secrets, cluster.folder):
        if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
            folder.rmdir()
    if kept := [str(path) for path in _foreign(cluster)]:
        say(f"kept, since lakepulse did not make it: {', '.join(kept)}")
