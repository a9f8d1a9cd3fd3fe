select person, commits, share, rank, carries, is_new, first_commit_at, last_commit_at
from gold.fct_people
where scope_kind = 'project' and scope = $project and window_days = $window_days and not is_bot
order by rank, person
limit $most
