from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lakepulse.data_dir import look_into_data_dir, open_data_dir
from lakepulse.outcome import PermanentError
from lakepulse.settings import Settings


def test_a_new_folder_gets_its_card_and_opens_again(settings: Settings) -> None:
    open_data_dir(settings)
    open_data_dir(settings)
    assert json.loads((settings.data_dir / "lakepulse.json").read_text())["kind"] == "real"


def test_a_moved_folder_is_refused(settings: Settings, tmp_path: Path) -> None:
    open_data_dir(settings)
    settings.data_dir.rename(tmp_path / "elsewhere")
    with pytest.raises(PermanentError, match="was moved from"):
        open_data_dir(Settings(data_dir=tmp_path / "elsewhere"))


def test_a_folder_that_was_opened_by_a_link_outlives_the_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real").mkdir()
    by_link = Settings(data_dir=tmp_path / "link")
    open_data_dir(by_link)
    assert (by_link.lake, by_link.warehouse) == ((tmp_path / "real").as_uri(), (tmp_path / "real" / "warehouse").as_uri())
    (tmp_path / "link").unlink()
    open_data_dir(Settings(data_dir=tmp_path / "real"))


def test_another_layout_is_refused(settings: Settings) -> None:
    open_data_dir(settings)
    card = settings.data_dir / "lakepulse.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"layout": 0}))
    with pytest.raises(PermanentError, match="has layout 0"):
        open_data_dir(settings)


def test_demo_and_real_data_do_not_mix(settings: Settings) -> None:
    open_data_dir(settings)
    with pytest.raises(PermanentError, match="holds real data"):
        open_data_dir(Settings(data_dir=settings.data_dir, demo=True))


def test_reading_takes_either_kind_and_makes_no_folder(settings: Settings) -> None:
    with pytest.raises(PermanentError, match="has no data; run make demo or make run first"):
        look_into_data_dir(settings)
    assert not settings.data_dir.exists()
    open_data_dir(settings)
    look_into_data_dir(Settings(data_dir=settings.data_dir, demo=True))


def test_a_foreign_folder_is_left_alone(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "thesis.txt").write_text("mine")
    with pytest.raises(PermanentError, match="not a lakepulse folder"):
        open_data_dir(settings)
    assert [entry.name for entry in settings.data_dir.iterdir()] == ["thesis.txt"]


def test_a_first_step_that_was_killed_does_not_block_the_folder(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "lakepulse.partial").write_text('{"lay')
    open_data_dir(settings)
    assert [entry.name for entry in settings.data_dir.iterdir()] == ["lakepulse.json"]


def test_a_damaged_card_is_one_clear_line(settings: Settings) -> None:
    open_data_dir(settings)
    (settings.data_dir / "lakepulse.json").write_text("{")
    with pytest.raises(PermanentError, match="is damaged"):
        open_data_dir(settings)


class Bucket(ThreadingHTTPServer):
    """An object store with what a card needs of one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, bytes] = {}
        self.missing = b"<Error><Code>NoSuchKey</Code></Error>"


class Handler(BaseHTTPRequestHandler):
    server: Bucket

    def do_GET(self) -> None:
        found = self.server.objects.get(self.path)
        self.reply(200 if found is not None else 404, found or self.server.missing)

    def do_PUT(self) -> None:
        self.server.objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.reply(200, b"")

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Tue, 01 Dec 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with Bucket() as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


def on_a_cluster(bucket: Bucket, *, demo: bool = False, lake: str = "s3://lakepulse/lake") -> Settings:
    endpoint = f"http://127.0.0.1:{bucket.server_port}"
    return Settings(lake_url=lake, s3_endpoint=endpoint, aws_access_key_id="a", aws_secret_access_key="b", demo=demo)


def test_a_lake_on_a_cluster_has_a_card_too(bucket: Bucket) -> None:
    with pytest.raises(PermanentError, match=r"LAKE_URL s3://lakepulse/lake has no data; run a pipeline first"):
        look_into_data_dir(on_a_cluster(bucket))
    open_data_dir(on_a_cluster(bucket, demo=True))
    open_data_dir(on_a_cluster(bucket, demo=True))
    look_into_data_dir(on_a_cluster(bucket))
    card = {"layout": 1, "path": "s3://lakepulse/lake", "kind": "demo"}
    assert {path: json.loads(text) for path, text in bucket.objects.items()} == {"/lakepulse/lake/lakepulse.json": card}


def test_demo_and_real_data_do_not_mix_on_a_cluster(bucket: Bucket) -> None:
    open_data_dir(on_a_cluster(bucket, demo=True))
    with pytest.raises(PermanentError, match=r"LAKE_URL s3://lakepulse/lake holds demo data, this run has real data"):
        open_data_dir(on_a_cluster(bucket))


def test_a_copied_lake_and_another_layout_are_refused_on_a_cluster(bucket: Bucket) -> None:
    open_data_dir(on_a_cluster(bucket))
    bucket.objects["/copy/lakepulse.json"] = bucket.objects["/lakepulse/lake/lakepulse.json"]
    with pytest.raises(PermanentError, match="s3://copy was moved from s3://lakepulse/lake"):
        open_data_dir(on_a_cluster(bucket, lake="s3://copy"))
    bucket.objects["/lakepulse/lake/lakepulse.json"] = b'{"layout": 0, "path": "s3://lakepulse/lake", "kind": "real"}'
    with pytest.raises(PermanentError, match="has layout 0"):
        open_data_dir(on_a_cluster(bucket))


def test_a_missing_bucket_gets_no_card(bucket: Bucket) -> None:
    bucket.missing = b"<Error><Code>NoSuchBucket</Code></Error>"
    with pytest.raises(PermanentError, match="the bucket does not exist"):
        open_data_dir(on_a_cluster(bucket))
    assert bucket.objects == {}
