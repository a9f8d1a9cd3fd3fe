select
    projects.project,
    list(projects.name order by projects.name) as members,
    any_value(states.state) as state,
    any_value(states.sentence) as sentence
from gold.dim_projects as projects
left join gold.fct_project_state as states on projects.project = states.project
group by projects.project
order by projects.project
