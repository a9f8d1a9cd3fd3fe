{{ commits_by_person('committer') }}
