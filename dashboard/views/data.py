"""Data: whether the figures can be trusted today, and where they come from."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import card, session, text

# All columns: an old publication lacks those that came later, and is shown all the same.
FRESHNESS = """
SELECT *
FROM gold.fct_data_freshness
WHERE scope IN :repos OR scope IN :packages
ORDER BY source, scope
"""
QUALITY = """
SELECT *
FROM gold.fct_data_quality
WHERE scope IN :repos OR scope IN :packages OR scope NOT IN (SELECT name FROM gold.dim_projects)
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
        column_order=[
            "source",
            "scope",
            "is_stale",
            "age_hours",
            "stale_after_hours",
            "last_fetched_at",
            "last_event_at",
            "covered_from",
            "rows",
        ],
        column_config={
            "source": "Source",
            "scope": "Repository or package",
            "is_stale": st.column_config.CheckboxColumn("Late"),
            "age_hours": st.column_config.NumberColumn("Age now (hours)", format="%.0f"),
            "stale_after_hours": st.column_config.NumberColumn("Late after (hours)", format="%d"),
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
        st.warning(f"{len(found)} of {text.count(len(frame), 'check')} held back or left out rows.", icon=":material/rule:")
    else:
        st.success(f"All {len(frame)} checks passed, and nothing was left out.", icon=":material/check_circle:")
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_order=["check_name", "scope", "failing_rows", "status", "reason", "checked_at"],
        column_config={
            "check_name": "Check",
            "scope": "Repository or package",
            "reason": st.column_config.TextColumn("Why", width="large"),
            "failing_rows": st.column_config.NumberColumn("Rows", format="localized"),
            "status": "What happened to them",
            "checked_at": st.column_config.DatetimeColumn("Checked (UTC)", format=moment),
        },
        alt="Checks and the rows they held back or left out",
    )


def known_breaks(frame: pd.DataFrame) -> None:
    # Sentences, not a table: each is read to its end, on any screen. One change may touch several sources, a row each.
    changes: dict[tuple[Any, ...], list[dict[Hashable, Any]]] = {}
    for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        changes.setdefault(tuple(row[part] for part in ("from_date", "to_date", "scope", "what_changed")), []).append(row)
    lines = []
    for (first, last, scope, what), rows in changes.items():
        days = f"{first:%Y-%m-%d}" + (f" to {last:%Y-%m-%d}" if last else "")
        where = text.literal(scope) if scope else "all that it counts"
        lines.append(f"- **{days}** · {where}. {text.sentence(what)}")
        lines += [f"    - {text.literal(row['source'])}: {text.sentence(row['effect'])}{_link(row['link'])}" for row in rows]
    st.markdown("\n".join(lines))


def _link(address: str | None) -> str:
    link = text.web_link(address)
    return f" [Source]({link})" if link else ""


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
    """A detail in a word: the value itself, or how many there are."""
    return len(value) if isinstance(value, (list, dict)) else "–" if value is None else value


def _records(value: object) -> list[dict[str, Any]]:
    """A detail as the rows of a table; none if it is a single value."""
    if isinstance(value, dict):
        return [{"name": name, **(part if isinstance(part, dict) else {"value": part})} for name, part in value.items()]
    if isinstance(value, list):
        return [part if isinstance(part, dict) else {"name": part} for part in value]
    return []


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
# No caption: its faded links are too faint to read.
st.markdown(
    ":small[Each table's and column's meaning and lineage stand in the dbt project's documentation, which make docs serves on "
    "http://127.0.0.1:8085.]"
)
card.figure(page, "Known breaks", "fct_known_breaks", BREAKS, known_breaks, empty="No break is known.")
