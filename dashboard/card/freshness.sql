-- All columns, since old publications lack the newer ones. The Data page sorts its own.
SELECT *
FROM gold.fct_data_freshness
