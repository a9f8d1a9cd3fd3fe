{{ commits_trend('committer') }}
