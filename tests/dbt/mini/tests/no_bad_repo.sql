select repo from {{ ref('fct_commits') }} where repo = 'acme/bad'
