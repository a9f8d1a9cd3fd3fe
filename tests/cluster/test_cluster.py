"""The pipeline on a real cluster. The tests run in this order, since they change it."""

# ruff: noqa: S608 - the names in the queries are our own

from __future__ import annotations

import csv
import hashlib
import json
import math
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from dashboard.views import PAGES
from k8s.images import image_name
from tests.cluster.conftest import DAY, Daily
from tests.cluster.harness import REVOKED, ROOT, TOKEN, Installation, Row
from tests.dashboard import browser
from tests.dashboard.browser import PATIENCE
from tests.end_to_end.harness import CLOCK_TABLES, Gold

_RELATIVE = 1e-6
_TMP = "/tmp"  # noqa: S108 - a pod's own


# --- gold as Trino shows it


def publication(installed: Installation) -> tuple[str, date, dict[str, int]]:
    """Run, `as_of` and snapshots of the newest publication."""
    newest = "select run_id, as_of, snapshots from gold.publications order by as_of desc, published_at desc limit 1"
    [[(run_id, as_of, snapshots)]] = installed.sql(newest)
    return run_id, as_of, snapshots


def gold(installed: Installation) -> dict[str, list[Row]]:
    """The rows of every table that the newest publication names, columns in the order of their names."""
    _, _, snapshots = publication(installed)
    tables = sorted(set(snapshots) - CLOCK_TABLES)
    columns = "select table_name, column_name from information_schema.columns where table_schema = 'gold' order by 1, 2"
    [listed] = installed.sql(columns)
    named = {table: [column for name, column in listed if name == table] for table in tables}
    queries = [
        "select {} from gold.{} for version as of {}".format(
            ", ".join(f'"{column}"' for column in named[table]), table, snapshots[table]
        )
        for table in tables
    ]
    return {table: in_order(rows) for table, rows in zip(tables, installed.sql(*queries), strict=True)}


def in_order(rows: list[Row]) -> list[Row]:
    """Rows sorted by everything in them that is the same in both engines to the last digit."""
    return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row if not isinstance(value, float)])


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_RELATIVE) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one.replace(tzinfo=None) == other.replace(tzinfo=None)
    return type(one) is type(other) and one == other


def differences(one: list[Row], other: list[Row]) -> list[str]:
    if len(one) != len(other):
        return [f"{len(one)} rows and {len(other)}"]
    pairs = zip(one, other, strict=True)
    return [f"{left} and {right}" for left, right in pairs if not all(map(same, left, right))]


# --- 1


def test_a_daily_run_succeeds_and_executors_do_the_work(installed: Installation, daily: Daily) -> None:
    running = {name: pod for name, pod in daily.executors.items() if pod["status"]["phase"] == "Running"}
    assert running, f"no executor ever ran: {sorted(daily.executors)}"
    for pod in running.values():
        assert pod["metadata"]["ownerReferences"][0]["name"].startswith(f"{daily.name}-load"), "it would outlive its driver"
        assert pod["spec"]["serviceAccountName"] == "spark-executor"
        assert pod["spec"]["securityContext"]["runAsUser"] == 10001
        [container] = pod["spec"]["containers"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
    run_id, as_of, snapshots = publication(installed)
    assert (run_id, as_of) == (daily.name, DAY)
    assert len(snapshots) >= 20
    [runs] = installed.sql(f"select outcome, failed_step from ops.runs where run_id = '{daily.name}'")
    assert runs == [("succeeded", None)]
    assert installed.get("pods", "--selector", "spark-role=executor") == [], "executors end with their driver"


def content(thing: dict[str, Any]) -> str:
    """An object's content, hashed: some have no generation, and a failure must not print a secret."""
    said = {part: thing.get(part) for part in ("data", "spec")}
    return str(thing["metadata"].get("generation")) + hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def test_another_make_cluster_changes_nothing(installed: Installation, daily: Daily) -> None:
    def seen() -> dict[str, str]:
        kinds = (
            "pods,deployments,statefulsets,services,secrets,configmaps,persistentvolumeclaims,workflowtemplates,cronworkflows"
        )
        return {
            f"{thing['kind']}/{thing['metadata']['name']}": thing["metadata"]["uid"] + content(thing)
            for thing in installed.get(kinds)
            if "workflows.argoproj.io/workflow" not in thing["metadata"].get("labels", {})
        }

    before = seen()
    installed.up()
    after = seen()
    # Applying resumes the schedules, which `serve` had suspended.
    assert {name: uid for name, uid in after.items() if not name.startswith("CronWorkflow/")} == {
        name: uid for name, uid in before.items() if not name.startswith("CronWorkflow/")
    }
    installed.serve("demo", DAY)


def test_make_cluster_knows_its_cluster_from_another_shell(installed: Installation, tmp_path: Path) -> None:
    """One with another kubeconfig takes the cluster over; one with another data folder learns where the data is."""
    elsewhere = installed.lakepulse("cluster", "up", CLUSTER_DATA=str(tmp_path / "kept"))
    assert elsewhere.returncode == 1
    [line] = elsewhere.stderr.splitlines()
    assert f"keeps its data in {installed.cluster.data}" in line
    assert f"set CLUSTER_DATA={installed.cluster.folder}" in line
    other = str(tmp_path / "kubeconfig")
    done = installed.lakepulse("cluster", "up", KUBECONFIG=other)
    assert done.returncode == 0, done.stderr
    assert installed.cluster.context in Path(other).read_text(encoding="utf-8")
    installed.serve("demo", DAY)


# --- 2


def test_gold_on_trino_equals_gold_on_one_machine(installed: Installation, daily: Daily, embedded: Gold) -> None:
    there = gold(installed)
    assert set(there) == set(embedded) - CLOCK_TABLES
    for table, rows in there.items():
        here = in_order([tuple(row[column] for column in sorted(row)) for row in embedded[table]])
        found = differences(rows, here)
        assert not found, f"{table}: {len(found)} rows differ, as in Trino's and ours: {found[:3]}"
    assert sum(map(len, there.values())) > 10_000, "a comparison of nothing proves nothing"


# --- 3

_STEP = {"workflows.argoproj.io/workflow": "none", "app.kubernetes.io/name": "lakepulse-spark"}
_SPARK_LISTS = """
import json
from lakepulse.settings import load_settings
from spark_apps.session import bound_session, open_session

settings = load_settings()
with open_session(settings) as engine:
    session = bound_session(engine, settings)
    found = {}
    for (space,) in session.sql("show namespaces in lakepulse").collect():
        for row in session.sql(f"show tables in lakepulse.{space}").collect():
            name = f"{space}.{row.tableName}"
            refs = session.sql(f"select snapshot_id from lakepulse.{name}.refs where name = 'main'").collect()
            found[name] = [refs[0][0] if refs else None, session.table(f"lakepulse.{name}").count()]
print("FOUND " + json.dumps(found))
"""


def spark_lists(installed: Installation) -> dict[str, list[int | None]]:
    """Every table as Spark in a pod of the cluster sees it: main's snapshot and the number of rows."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        # The label lets the network policies take it for a step.
        "metadata": {"name": "spark-lists", "labels": _STEP},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "fsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "main",
                    "image": image_name("spark"),
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python", "-c", _SPARK_LISTS],
                    "envFrom": [
                        {"configMapRef": {"name": "lakepulse-settings"}},
                        {"secretRef": {"name": "lakepulse-s3"}},
                        {"secretRef": {"name": "lakepulse-catalog"}},
                    ],
                    "env": [{"name": "SPARK_MASTER", "value": "local[1]"}, {"name": "SPARK_DRIVER_MEMORY", "value": "1g"}],
                    "resources": {"requests": {"cpu": "50m", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [{"name": "tmp", "mountPath": _TMP}],
                }
            ],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }
    installed.kubectl("apply", "-f", "-", text=yaml.safe_dump(pod))
    try:
        deadline = time.monotonic() + 600
        while (phase := installed.get("pods", "--field-selector", "metadata.name=spark-lists")[0]["status"]["phase"]) in {
            "Pending",
            "Running",
        }:
            assert time.monotonic() < deadline
            time.sleep(3)
        log = installed.kubectl("logs", "spark-lists")
        assert phase == "Succeeded", log[-3000:]
    finally:
        installed.kubectl("delete", "pod", "spark-lists", "--wait=true")
    found: dict[str, list[int | None]] = json.loads(log.split("FOUND ", 1)[1].splitlines()[0])
    return found


_PYICEBERG_LISTS = """
import json
from pyiceberg.catalog import load_catalog
from lakepulse.catalog import pyiceberg_properties
from lakepulse.names import CATALOG
from lakepulse.settings import load_settings

catalog = load_catalog(CATALOG, **pyiceberg_properties(load_settings()))
found = {}
for (space,) in catalog.list_namespaces():
    for name in catalog.list_tables(space):
        table = catalog.load_table(name)
        snapshot = table.current_snapshot()
        found[".".join(name)] = [snapshot.snapshot_id if snapshot else None, table.scan().count()]
print("FOUND " + json.dumps(found))
"""


def pyiceberg_lists(installed: Installation) -> dict[str, list[int | None]]:
    with installed.outside() as settings:
        command = [sys.executable, "-c", _PYICEBERG_LISTS]
        done = subprocess.run(command, env=installed.environment | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[int | None]] = json.loads(done.stdout.split("FOUND ", 1)[1])
    return found


def trino_lists(installed: Installation) -> dict[str, list[int | None]]:
    listing = (
        "select table_schema, table_name from information_schema.tables "
        "where table_schema not in ('information_schema', 'system') order by 1, 2"
    )
    [names] = installed.sql(listing)
    snapshots = installed.sql(
        *(f"select snapshot_id from {space}.\"{name}$refs\" where name = 'main'" for space, name in names)
    )
    counts = installed.sql(*(f'select count(*) from {space}."{name}"' for space, name in names))
    return {
        f"{space}.{name}": [refs[0][0] if refs else None, rows[0][0]]
        for (space, name), refs, rows in zip(names, snapshots, counts, strict=True)
    }


def test_all_engines_see_the_same_tables_at_the_same_snapshots(installed: Installation, daily: Daily) -> None:
    seen = pyiceberg_lists(installed)
    assert {name.split(".")[0] for name in seen} >= {"raw", "gold", "ops"}
    assert trino_lists(installed) == seen
    assert spark_lists(installed) == seen


def test_the_dashboards_user_can_read_gold_and_write_nothing(installed: Installation, daily: Daily) -> None:
    table = "gold.dim_projects"
    assert installed.sql(f"select count(*) from {table}", user="dashboard") == installed.sql(f"select count(*) from {table}")
    for forbidden in (
        f"insert into {table} select * from {table}",
        f"delete from {table}",
        f"update {table} set name = 'x'",
        f"drop table {table}",
        f"alter table {table} execute optimize",
        f"alter table {table} execute expire_snapshots(retention_threshold => '7d')",
        f"truncate table {table}",
        "create table gold.mine (a integer)",
        "create schema mine",
        "call system.unregister_table('gold', 'dim_projects')",
        "select count(*) from raw.commits",
    ):
        with pytest.raises(Exception, match=r"Access Denied|No matching resource group"):
            installed.sql(forbidden, user="dashboard")
    [pod] = installed.get("pods", "--selector", "app.kubernetes.io/name=dashboard")
    assert "secretRef" not in json.dumps(pod["spec"]), "the dashboard needs no secret"
    assert "secretKeyRef" not in json.dumps(pod["spec"]), "the dashboard needs no secret"


# --- 6


@pytest.mark.browser
@pytest.mark.skipif(browser.missing() is not None, reason=browser.missing() or "")
def test_the_dashboard_answers_with_sqls_figures(installed: Installation, daily: Daily, tmp_path: Path) -> None:
    port = browser.free_port()
    command = [sys.executable, "-m", "lakepulse", "cluster", "dashboard"]
    with subprocess.Popen(
        command, env=installed.environment | {"PORT": str(port)}, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as forward:
        try:
            assert forward.stdout is not None
            assert f"http://127.0.0.1:{port}" in forward.stdout.readline()
            _look(installed, f"http://127.0.0.1:{port}", tmp_path)
        finally:
            forward.terminate()


def _look(installed: Installation, address: str, folder: Path) -> None:
    with browser.chromium(1280) as opened:
        for index, entry in enumerate(PAGES):
            opened.open(f"{address}/{'' if index == 0 else entry.path}")
            assert opened.driver.find_element(By.TAG_NAME, "h1").text == entry.title
            assert "Demo data" in opened.text()
            assert opened.complaints() == []
        opened.save_downloads_in(folder)
        opened.open(f"{address}/pypi?period=all+time")
        card = opened.driver.find_element(By.CSS_SELECTOR, ".st-key-card-downloads summary")
        opened.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", card)
        card.click()
        opened.until_text("Definition.")
        opened.settle()
        opened.driver.find_element(By.CSS_SELECTOR, ".st-key-csv-downloads button").click()
        path = folder / f"lakepulse-downloads-{DAY}.csv"
        WebDriverWait(opened.driver, PATIENCE).until(lambda _: path.exists() and path.stat().st_size > 0)
    query = (
        "select package, date, downloads from gold.fct_percent_change_downloads_overall "
        "where category = 'without_mirrors' order by package, date"
    )
    [rows] = installed.sql(query)
    with path.open(encoding="utf-8", newline="") as file:
        shown = sorted((row["package"], row["date"], int(row["downloads"])) for row in csv.DictReader(file))
    assert shown == [(package, day.isoformat(), downloads) for package, day, downloads in rows]
    assert shown


# --- 5


def status(installed: Installation) -> str:
    """`make status`."""
    done = installed.lakepulse("status", COLUMNS="250")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_failing_fetch_is_seen_and_the_next_run_repairs_it(installed: Installation, daily: Daily) -> None:
    before = publication(installed)
    installed.lakepulse("cluster", "secrets", GITHUB_TOKEN=REVOKED)
    failed = installed.submit("base_repo", as_of=DAY.isoformat())
    assert failed.returncode == 1
    name = failed.stdout.split("submitted ", 1)[1].split()[0]
    shown = status(installed)
    line = next(line for line in shown.splitlines() if name in line)
    assert "Failed" in line
    assert "fetch" in line
    assert REVOKED not in failed.stdout + failed.stderr + shown
    assert publication(installed) == before, "a failed run changes nothing that is shown"
    [[(outcome, step)]] = installed.sql(f"select outcome, failed_step from ops.runs where run_id = '{name}'")
    assert outcome == "failed"
    assert step.startswith("fetch")
    installed.lakepulse("cluster", "secrets", GITHUB_TOKEN=TOKEN)
    repaired = installed.submit("base_repo", as_of=DAY.isoformat())
    assert repaired.returncode == 0, f"{repaired.stdout}\n{repaired.stderr}"
    assert publication(installed)[0] == repaired.stdout.split("submitted ", 1)[1].split()[0]


def test_a_schedule_fires_by_itself(installed: Installation, daily: Daily) -> None:
    soon = {"spec": {"schedules": ["* * * * *"], "suspend": False}}
    installed.kubectl("patch", "cronworkflow", "maintenance", "--type=merge", "--patch", json.dumps(soon))
    try:
        selector = "workflows.argoproj.io/cron-workflow=maintenance"
        deadline = time.monotonic() + 180
        while not (made := installed.get("workflows", "--selector", selector)):
            assert time.monotonic() < deadline, "nothing was started within three minutes"
            time.sleep(3)
    finally:
        rarely = {"spec": {"schedules": ["0 1 * * 0"], "suspend": True}}
        installed.kubectl("patch", "cronworkflow", "maintenance", "--type=merge", "--patch", json.dumps(rarely))
    assert installed.end(made[0]["metadata"]["name"]) == "Succeeded", installed.trouble()


# --- 4


def test_a_restart_of_the_node_loses_nothing(installed: Installation, daily: Daily) -> None:
    before = publication(installed), gold(installed)
    # The API has whole seconds.
    restarted = datetime.now(UTC).replace(microsecond=0)
    subprocess.run(["docker", "restart", installed.cluster.node], check=True, capture_output=True)  # noqa: S607
    installed.ready(restarted)
    assert (publication(installed), gold(installed)) == before


def test_a_new_cluster_finds_the_kept_data(installed: Installation, daily: Daily) -> None:
    before = publication(installed), gold(installed)
    secret = installed.secret("lakepulse-s3")
    folder = installed.cluster.secrets
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    installed.down(keep_data=True)
    installed.up()
    installed.serve("demo", DAY)
    assert installed.secret("lakepulse-s3") == secret
    assert (publication(installed), gold(installed)) == before
    again = installed.submit("downloads", as_of=DAY.isoformat())
    assert again.returncode == 0, f"{again.stdout}\n{again.stderr}\n{installed.trouble()}"
