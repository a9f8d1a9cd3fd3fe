"""The pages. To add one, add a module that ends with `PAGE = Page(...)`, and its queries in a folder of the same name.

    def show(view: View) -> None:
        card.figure(view, "Open issues", "fct_all_time_issues_trend", query("open"), draw, keys=("repo", "date"))

To add a figure, add such a call and its `.sql` file. A gold table shown for the first time also needs an entry in
definitions.yaml.

The package is not called `pages`: Streamlit would run the modules of a folder of that name itself, bypassing app.py.
"""

from dashboard.page import discover

PAGES = discover(__name__, __path__)
"""All pages, in the order of the navigation."""
