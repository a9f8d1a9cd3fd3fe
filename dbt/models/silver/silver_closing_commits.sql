-- GitHub closes what a message names after one of its closing words; a script that merges ends the subject with the number.
with commits as (
    select
        listed_name as repo,
        message,
        committed_at
    from (
        {{ listed_rows(ref('bronze_commits'), 'repo') }}
    ) as landed_commits
    where
        coalesce(is_reachable, true)
        and committed_at < {{ as_of_end() }}
        and message like '%#%'
),

named as (
    select
        commits.repo,
        commits.committed_at,
        closing.number
    from commits
    cross join
        unnest(
            regexp_extract_all(commits.message, '(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#([0-9]{1,18})\b', 1)
        ) as closing (number)

    union all

    select
        repo,
        committed_at,
        {{ caught('message', '^[^\n]*[(]#([0-9]{1,18})[)][ \t\r]*(\n|$)', 1) }} as number
    from commits
)

select
    repo,
    cast(number as bigint) as number,
    committed_at
from named
where number is not null
group by repo, cast(number as bigint), committed_at
