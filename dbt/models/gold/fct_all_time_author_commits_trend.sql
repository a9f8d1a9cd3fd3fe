{{ commits_trend('author') }}
