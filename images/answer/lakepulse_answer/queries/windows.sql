select distinct window_days
from gold.fct_people
order by window_days
