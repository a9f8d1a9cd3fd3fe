SELECT repo, label, num_issues, rank
FROM gold.fct_num_labels_per_repo
WHERE repo IN :repos AND rank <= 3
ORDER BY repo, rank, label
