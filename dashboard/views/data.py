"""Data: whether the figures can be trusted today, and where they come from."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import card, queries, session, text
from dashboard.page import Page
from dashboard.session import View

query = queries.beside(__file__)

MOMENT = "YYYY-MM-DD HH:mm"


def freshness(view: View, frame: pd.DataFrame) -> None:
    found = card.judged(frame)
    number = found["problem"].value_counts()
    parts = [f"{number[problem]} {said.lower()}" for problem, said in card.PROBLEMS.items() if problem in number]
    if parts:
        st.warning(
            f"Of {len(frame)} sources when this was published: {text.listed(parts, len(parts))}.", icon=":material/schedule:"
        )
    else:
        st.success(f"All {len(frame)} sources were up to date when this was published.", icon=":material/check_circle:")
    # What is wrong comes first.
    frame = found.iloc[found["problem"].isna().to_numpy().argsort(kind="stable")]
    fetched = frame["last_fetched_at"].dt.tz_localize("UTC")
    st.dataframe(
        frame.assign(age_hours=(view.now - fetched).dt.total_seconds() / 3600),
        hide_index=True,
        placeholder="–",
        column_order=[
            "source",
            "scope",
            "is_stale",
            "status",
            "status_detail",
            "upstream_status",
            "age_hours",
            "stale_after_hours",
            "last_fetched_at",
            "last_event_at",
            "covered_from",
            "covered_to",
            "rows",
        ],
        column_config={
            "source": "Source",
            "scope": "Repository or package",
            "is_stale": st.column_config.CheckboxColumn("Out of date"),
            "status": st.column_config.TextColumn("Last visit", help="How the last visit to the upstream ended."),
            "status_detail": st.column_config.TextColumn("Upstream's message"),
            "upstream_status": st.column_config.TextColumn("Upstream status", help="What upstream says about it, if anything."),
            "age_hours": st.column_config.NumberColumn("Age now (hours)", format="%.0f"),
            "stale_after_hours": st.column_config.NumberColumn("Limit (hours)", format="%d"),
            "last_fetched_at": st.column_config.DatetimeColumn("Last fetched (UTC)", format=MOMENT),
            "last_event_at": st.column_config.DatetimeColumn("Newest event (UTC)", format=MOMENT),
            "covered_from": st.column_config.DatetimeColumn("Incomplete before (UTC)", format="YYYY-MM-DD"),
            "covered_to": st.column_config.DatetimeColumn("Incomplete after (UTC)", format="YYYY-MM-DD"),
            "rows": st.column_config.NumberColumn("Rows", format="localized"),
        },
        alt="Freshness of each source",
    )


def quality(_: View, frame: pd.DataFrame) -> None:
    held = int(frame["status"].isin(["held_back", "left_out"]).sum())
    lost = int(frame["status"].isin(["gone", "closed"]).sum())
    if held or lost:
        parts = [f"{held} of {text.count(len(frame), 'check')} held back or left out rows."] if held else []
        parts += [f"{text.count(lost, 'source')} can no longer be fetched, so their rows only get older."] if lost else []
        st.warning(" ".join(parts), icon=":material/rule:")
    else:
        st.success(f"All {len(frame)} checks passed. No rows were held back or left out.", icon=":material/check_circle:")
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_order=["check_name", "scope", "failing_rows", "status", "reason", "checked_at"],
        column_config={
            "check_name": "Check",
            "scope": "Repository or package",
            "reason": st.column_config.TextColumn("Reason", width="large"),
            "failing_rows": st.column_config.NumberColumn("Rows", format="localized"),
            "status": "Status",
            "checked_at": st.column_config.DatetimeColumn("Checked (UTC)", format=MOMENT),
        },
        alt="Checks and the rows they held back or left out",
    )


def known_breaks(_: View, frame: pd.DataFrame) -> None:
    # Sentences rather than a table, so that each is readable on any screen. A change that affects several sources has a
    # row for each.
    changes: dict[tuple[Any, ...], list[dict[Hashable, Any]]] = {}
    for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        changes.setdefault(tuple(row[part] for part in ("from_date", "to_date", "scope", "what_changed")), []).append(row)
    lines = []
    for (first, last, scope, what), rows in changes.items():
        days = f"{first:%Y-%m-%d}" + (f" to {last:%Y-%m-%d}" if last else "")
        where = text.literal(scope) if scope else "all repositories and packages"
        lines.append(f"- **{days}** · {where}. {text.sentence(what)}")
        lines += [f"    - {text.literal(row['source'])}: {text.sentence(row['effect'])}{_link(row['link'])}" for row in rows]
    st.markdown("\n".join(lines))


def _link(address: str | None) -> str:
    link = text.web_link(address)
    return f" [Source]({link})" if link else ""


def runs(view: View) -> None:
    st.header("Last runs", anchor=False)
    found = session.runs(view.settings)[:30]
    if not found:
        st.info("No runs recorded yet.", icon=":material/inbox:")
        return
    st.dataframe(
        [
            {
                "Outcome": run.outcome,
                "As of": run.as_of,
                "Pipeline": run.pipeline,
                "Ended (UTC)": run.ended_at.replace(tzinfo=None),
                "Minutes": (run.ended_at - run.started_at).total_seconds() / 60,
                "Failed step": run.failed_step,
                "Message": run.message,
                "Run": run.run_id,
            }
            for run in found
        ],
        hide_index=True,
        placeholder="–",
        column_config={
            "Ended (UTC)": st.column_config.DatetimeColumn(format=MOMENT),
            "Minutes": st.column_config.NumberColumn(format="%.1f"),
            "Message": st.column_config.TextColumn(width="large"),
        },
        alt="The last runs, including failed ones",
    )
    st.caption("These are the latest runs, whatever the as-of date.")
    st.markdown("### Steps of the last run")
    steps: list[dict[str, Any]] = json.loads(found[0].steps or "[]")
    if not steps:
        st.info("The last run left no step reports.", icon=":material/inbox:")
        return
    built = next((step.get("details") or {} for step in steps if step.get("step") == "build"), {})
    if "tests" in built:
        failures = ", ".join(str(name) for name in built.get("failures") or []) or "none"
        st.caption(f"dbt ran {text.number(built['tests'])} tests; failed: {text.literal(failures)}.")
    st.dataframe(
        [
            {
                "Step": step.get("step"),
                "Outcome": step.get("outcome"),
                "Rows": step.get("rows"),
                "Requests": step.get("requests"),
                "Quota": step.get("quota"),
                "Message": step.get("message"),
                "Details": ", ".join(f"{name}: {_size(value)}" for name, value in (step.get("details") or {}).items()),
            }
            for step in steps
        ],
        hide_index=True,
        placeholder="–",
        alt="Steps of the last run",
    )
    for step in steps:
        for name, value in (step.get("details") or {}).items():
            records = _records(value)
            if records:
                with st.expander(f"{step.get('step')}: {name} ({len(records)})"):
                    st.dataframe(records, hide_index=True, placeholder="–", alt=f"{name} of the step {step.get('step')}")


def _size(value: object) -> object:
    """A detail in one word: a single value itself, of others the number of entries."""
    return len(value) if isinstance(value, (list, dict)) else "–" if value is None else value


def _records(value: object) -> list[dict[str, Any]]:
    """A detail as rows of a table; none for a single value."""
    if isinstance(value, dict):
        return [{"name": name, **(part if isinstance(part, dict) else {"value": part})} for name, part in value.items()]
    if isinstance(value, list):
        return [part if isinstance(part, dict) else {"name": part} for part in value]
    return []


def snapshots(view: View) -> None:
    st.header("Publications and snapshots", anchor=False)
    st.dataframe(
        [
            {
                "As of": publication.as_of,
                "Published (UTC)": publication.published_at.replace(tzinfo=None),
                "Run": publication.run_id,
                "Demo": publication.is_demo,
                "Version": publication.code_version,
                "Tables": len(publication.snapshots),
                "Rows": sum(publication.row_counts.values()),
            }
            for publication in session.publications(view.settings)[:100]
        ],
        hide_index=True,
        placeholder="–",
        column_config={"Published (UTC)": st.column_config.DatetimeColumn(format=MOMENT)},
        alt="Publications, newest first",
    )
    st.markdown(f"### Iceberg snapshots as of {view.publication.as_of}")
    st.dataframe(
        [
            # As text: a snapshot id has more digits than numbers keep in a browser.
            {"Table": f"gold.{name}", "Snapshot": str(snapshot), "Rows": view.publication.row_counts.get(name)}
            for name, snapshot in sorted(view.publication.snapshots.items())
        ],
        hide_index=True,
        placeholder="–",
        alt="The Iceberg snapshot of each table of this publication",
    )
    st.caption(
        "Every figure on these pages is read from these snapshots. In Trino, read one with FOR VERSION AS OF and its number."
    )


def show(view: View) -> None:
    st.title("Data", anchor=False)
    card.figure(view, "Freshness", "fct_data_freshness", query("freshness"), freshness)
    card.figure(view, "Checks and held-back rows", "fct_data_quality", query("quality"), quality, empty="No checks recorded.")
    runs(view)
    snapshots(view)
    # Not a caption, whose links are too pale to read.
    st.markdown(
        ":small[The dbt documentation describes every table and column and its lineage: make docs serves it on "
        "http://127.0.0.1:8085.]"
    )
    card.figure(view, "Known breaks", "fct_known_breaks", query("breaks"), known_breaks, empty="No known breaks.")


PAGE = Page(title="Data", icon=":material/fact_check:", order=70, show=show)
