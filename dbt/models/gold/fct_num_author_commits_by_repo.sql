{{ commits_by_person('author') }}
