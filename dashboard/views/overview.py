"""Overview: one look at each project."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import card, session

REPOS = """
SELECT
    stats.repo, stats.snapshot_date, stats.stargazers_count, stats.forks_count, stats.subscribers_count,
    stats.open_issues_count, stats.watchers_count, stats.network_count, stats.size_kb,
    stats.created_at, stats.pushed_at, stats.updated_at
FROM gold.fct_all_time_base_repo_stats AS stats
JOIN (
    SELECT repo, max(snapshot_date) AS snapshot_date
    FROM gold.fct_all_time_base_repo_stats
    GROUP BY repo
) AS newest ON newest.repo = stats.repo AND newest.snapshot_date = stats.snapshot_date
WHERE stats.repo IN :repos
ORDER BY stats.stargazers_count DESC, stats.repo
"""

page = session.current()
st.title("Overview", anchor=False)


def repos(frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        column_config={
            "repo": st.column_config.TextColumn("Repository", pinned=True),
            "snapshot_date": st.column_config.DateColumn("Asked on", format="YYYY-MM-DD"),
            "stargazers_count": st.column_config.NumberColumn("Stars", format="localized"),
            "forks_count": st.column_config.NumberColumn("Forks", format="localized"),
            "subscribers_count": st.column_config.NumberColumn("Subscribers", format="localized"),
            "open_issues_count": st.column_config.NumberColumn("Open issues and PRs", format="localized"),
            "watchers_count": st.column_config.NumberColumn("Watchers", format="localized"),
            "network_count": st.column_config.NumberColumn("Network", format="localized"),
            "size_kb": st.column_config.NumberColumn("Size (kB)", format="localized"),
            "created_at": st.column_config.DatetimeColumn("Created (UTC)", format="YYYY-MM-DD"),
            "pushed_at": st.column_config.DatetimeColumn("Pushed (UTC)", format="YYYY-MM-DD"),
            "updated_at": st.column_config.DatetimeColumn("Updated (UTC)", format="YYYY-MM-DD"),
        },
        alt="Figures of each repository as GitHub gave them last",
    )


card.figure(page, "Repositories", "fct_all_time_base_repo_stats", REPOS, repos, keys=("repo",))
