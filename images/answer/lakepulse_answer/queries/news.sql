select project, scope, kind, happened_on, subject, value, usual
from gold.fct_news
where list_contains($projects, project) and happened_on >= $first
order by happened_on desc, project, scope, kind, subject
