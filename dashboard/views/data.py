"""Data: whether the figures can be trusted today, and where they come from."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import card, session, text

FRESHNESS = """
SELECT source, scope, last_event_at, last_fetched_at, covered_from, "rows", lag_hours, is_stale
FROM gold.fct_data_freshness
WHERE scope IN :repos OR scope IN :packages
ORDER BY source, scope
"""
QUALITY = """
SELECT check_name, scope, failing_rows, status, checked_at
FROM gold.fct_data_quality
ORDER BY CASE WHEN status = 'ok' THEN 1 ELSE 0 END, failing_rows DESC, check_name, scope
"""
BREAKS = """
SELECT id, source, scope, from_date, to_date, what_changed, effect, link
FROM gold.fct_known_breaks
ORDER BY from_date DESC, id
"""

page = session.current()
moment = "YYYY-MM-DD HH:mm"

st.title("Data", anchor=False)


def freshness(frame: pd.DataFrame) -> None:
    late = int(frame["is_stale"].sum())
    if late:
        st.warning(f"{late} of {len(frame)} sources were late when this was published.", icon=":material/schedule:")
    else:
        st.success(
            f"All {len(frame)} sources were within their limits when this was published.", icon=":material/check_circle:"
        )
    fetched = frame["last_fetched_at"].dt.tz_localize("UTC")
    st.dataframe(
        frame.assign(age_hours=(page.now - fetched).dt.total_seconds() / 3600),
        hide_index=True,
        placeholder="–",
        column_order=["source", "scope", "is_stale", "age_hours", "last_fetched_at", "last_event_at", "covered_from", "rows"],
        column_config={
            "source": "Source",
            "scope": "Repository or package",
            "is_stale": st.column_config.CheckboxColumn("Late"),
            "age_hours": st.column_config.NumberColumn("Age now (hours)", format="%.0f"),
            "last_fetched_at": st.column_config.DatetimeColumn("Fetched (UTC)", format=moment),
            "last_event_at": st.column_config.DatetimeColumn("Newest event (UTC)", format=moment),
            "covered_from": st.column_config.DatetimeColumn("Complete from (UTC)", format="YYYY-MM-DD"),
            "rows": st.column_config.NumberColumn("Rows", format="localized"),
        },
        alt="Freshness of each source",
    )


def quality(frame: pd.DataFrame) -> None:
    found = frame[frame["status"] != "ok"]
    if len(found):
        st.warning(f"{len(found)} of {len(frame)} checks held back or left out rows.", icon=":material/rule:")
    else:
        st.success(f"All {len(frame)} checks passed, and nothing was left out.", icon=":material/check_circle:")
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "check_name": "Check",
            "scope": "Repository or package",
            "failing_rows": st.column_config.NumberColumn("Rows", format="localized"),
            "status": "What happened to them",
            "checked_at": st.column_config.DatetimeColumn("Checked (UTC)", format=moment),
        },
        alt="Checks and the rows they held back or left out",
    )


def known_breaks(frame: pd.DataFrame) -> None:
    st.dataframe(
        frame.assign(link=frame["link"].map(text.web_link)),
        hide_index=True,
        placeholder="–",
        column_order=["from_date", "to_date", "source", "scope", "what_changed", "effect", "link"],
        column_config={
            "from_date": st.column_config.DateColumn("From", format="YYYY-MM-DD"),
            "to_date": st.column_config.DateColumn("To", format="YYYY-MM-DD"),
            "source": "Source",
            "scope": "Scope",
            "what_changed": st.column_config.TextColumn("What changed", width="large"),
            "effect": st.column_config.TextColumn("Effect", width="large"),
            "link": st.column_config.LinkColumn("Link", display_text="Source"),
        },
        alt="Known breaks in how upstreams count",
    )


def runs() -> None:
    st.header("Last runs", anchor=False)
    found = session.runs(page.settings)[:30]
    if not found:
        st.info("No run is recorded yet.", icon=":material/inbox:")
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
            "Ended (UTC)": st.column_config.DatetimeColumn(format=moment),
            "Minutes": st.column_config.NumberColumn(format="%.1f"),
            "Message": st.column_config.TextColumn(width="large"),
        },
        alt="The last runs, also failed ones",
    )
    st.caption("Runs are told as they are now, whatever the as-of date.")
    st.markdown("### Steps of the last run")
    steps: list[dict[str, Any]] = json.loads(found[0].steps or "[]")
    if not steps:
        st.info("The last run left no reports of its steps.", icon=":material/inbox:")
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
                "Details": json.dumps(step.get("details") or {}, ensure_ascii=False),
            }
            for step in steps
        ],
        hide_index=True,
        placeholder="–",
        alt="Steps of the last run",
    )


def snapshots() -> None:
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
            for publication in session.publications(page.settings)[:100]
        ],
        hide_index=True,
        placeholder="–",
        column_config={"Published (UTC)": st.column_config.DatetimeColumn(format=moment)},
        alt="Publications, the newest first",
    )
    st.markdown(f"### Iceberg snapshots of {page.publication.as_of}")
    st.dataframe(
        [
            # As text: a snapshot id has more digits than a browser's numbers keep.
            {"Table": f"gold.{name}", "Snapshot": str(snapshot), "Rows": page.publication.row_counts.get(name)}
            for name, snapshot in sorted(page.publication.snapshots.items())
        ],
        hide_index=True,
        placeholder="–",
        alt="The Iceberg snapshot of each table of this publication",
    )
    st.caption("Every figure on these pages is read at these snapshots: in Trino, FOR VERSION AS OF the number.")


card.figure(page, "Freshness", "fct_data_freshness", FRESHNESS, freshness)
card.figure(page, "Checks and held-back rows", "fct_data_quality", QUALITY, quality, empty="No check was recorded.")
runs()
snapshots()
card.figure(page, "Known breaks", "fct_known_breaks", BREAKS, known_breaks, empty="No break is known.")
