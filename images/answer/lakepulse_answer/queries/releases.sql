select version, released_at, is_on_pypi, is_on_github
from gold.fct_project_releases
where project = $project
order by released_at desc, version
limit $most
