"""Who is who: each rule worked out by hand, and any sequence of renames against a fresh look."""

from __future__ import annotations

import random

import pytest

from lakepulse_simulator import Person, User, World, tiny_world
from lakepulse_simulator.tiny import random_change
from lakepulse_simulator.world import noreply, person, user, with_coauthors
from tests.truth.gold import Known, Project, gold
from tests.truth.people import is_robot
from tests.truth.scene import ADA, BEN, PAIR, POND, REPO, ROBOT, at, authors, january, new_world, only, shown


@pytest.fixture
def world() -> World:
    return new_world()


def commit(world: World, name: str, email: str, account: User | None = None, *, day: int = 5, repo: str = REPO) -> None:
    who = Person(name, email, account)
    world.commit(repo, who, at=at(day), committer=who)


def test_people_are_joined_by_account_then_email_then_name(world: World) -> None:
    commit(world, "Ada A", "Ada@Example.org", user("ADA"))
    commit(world, "someone", "ada@example.org")  # by e-mail, whatever its case
    commit(world, "Ada A", "other@example.org")  # by name
    commit(world, "ada a", "")  # another name, no e-mail: a person of its own
    commit(world, "Twin Two", "x@example.org", user("twin1"))
    commit(world, "Twin Two", "y@example.org", user("twin2"))
    commit(world, "Twin Two", "z@example.org")  # a name of two accounts joins nobody
    commit(world, "Shared", "x@example.org", user("twin2"))
    commit(world, "Other", "x@example.org")  # an e-mail of two accounts joins nobody
    assert authors(shown(world)) == {"ada": 3, "ada a": 1, "twin1": 1, "twin2": 2, "Twin Two": 1, "Other": 1}


def test_a_name_of_one_word_joins_nobody(world: World) -> None:
    commit(world, "Dave", "dave.s@example.org", user("dave-s"))
    commit(world, "Dave", "dave@other.example")
    commit(world, "Dave", "d.jones@third.example", day=6)
    commit(world, "Dave", "D.Jones@third.example", day=7)
    assert authors(shown(world)) == {"dave-s": 1, "Dave": 1, "Dave (2)": 2}


def test_a_name_joins_within_its_repository_alone(world: World) -> None:
    world.add_repo(POND, at(1))
    commit(world, "Ada Lace", "ada@example.org", user("ada"))
    commit(world, "Ada Lace", "ada@laptop.example")
    commit(world, "Ada Lace", "ada@laptop.example", repo=POND)
    tables = shown(world, projects=PAIR)
    assert (authors(tables), authors(tables, POND)) == ({"ada": 2}, {"Ada Lace": 1})
    # An e-mail joins across repositories.
    commit(world, "x", "ada@example.org", repo=POND)
    assert authors(shown(world, projects=PAIR), POND) == {"Ada Lace": 1, "ada": 1}


def test_names_of_two_words_are_one_person_and_compared_exactly(world: World) -> None:
    commit(world, "Ed Box", "ed@a.example")
    commit(world, "Ed Box", "ed@b.example")
    commit(world, "ed box", "ed@a.example")
    assert authors(shown(world)) == {"Ed Box": 2, "ed box": 1}


def test_a_noreply_address_names_its_account(world: World) -> None:
    ada = user("ada")
    commit(world, "Ada", "ada@example.org", ada, day=3)
    commit(world, "Ada (laptop)", noreply(ada).upper(), day=2)
    commit(world, "Zoe Zed", "900+Zoe@users.noreply.github.com")
    commit(world, "Zoe Zed", "zoe@example.org")  # the address names an account, and links no name to it
    commit(world, "old form", "ada@users.noreply.github.com", day=9)
    assert authors(shown(world)) == {"ada": 2, "zoe": 1, "Zoe Zed": 1, "old form": 1}


def test_the_api_is_believed_before_an_address(world: World) -> None:
    commit(world, "Ada", noreply(user("ada")), user("ben"))
    assert authors(shown(world)) == {"ben": 1}


def test_a_renamed_account_stays_one_person_and_a_login_taken_over_is_another(world: World) -> None:
    mara = person("mara-old", "Mara")
    assert mara.user is not None
    world.commit(REPO, mara, at=at(3))
    world.open_issue(REPO, "Mine", mara.user, at(4))
    world.comment(REPO, 1, mara.user, at(5))
    world.rename_account(mara.user, "Mara-New")
    commit(world, "Other", "other@example.org", User("mara-old", 9), day=6)
    world.comment(REPO, 1, User("mara-old", 9), at(7))
    tables = shown(world)
    assert authors(tables) == {"mara-new": 1, "mara-old": 1}
    # Her own comment is no answer, the newcomer's is.
    assert tables["fct_issue_response"][0]["p50_hours"] == 72.0
    assert tables["fct_unanswered_issues"] == []


def test_an_account_is_shown_by_the_login_of_its_newest_event_by_the_events_own_date(world: World) -> None:
    commit(world, "Mara", "mara@example.org", User("second", 7), day=9)
    commit(world, "Mara", "mara@example.org", User("First", 7), day=3)
    assert authors(shown(world)) == {"second": 2}
    world.open_issue(REPO, "Later", User("Third", 7), at(10))
    assert authors(shown(world)) == {"third": 2}
    assert shown(world)["fct_unanswered_issues"][0]["author"] == "third"
    # At an earlier date the later events have not happened.
    assert authors(shown(world, january(4))) == {"first": 1}


def test_addresses_are_shown_as_their_part_before_the_at(world: World) -> None:
    commit(world, "jane.roe@example.org", "jane.roe@example.org")
    commit(world, "", "Blank1@example.org")
    commit(world, "Rob Roy <rob@example.org>", "rob@example.org")
    commit(world, "mono", "not an address")
    found = authors(shown(world))
    assert found == {"jane.roe": 1, "blank1": 1, "Rob Roy <rob>": 1, "mono": 1}


def test_a_person_keyed_by_address_is_shown_by_its_newest_name(world: World) -> None:
    for name, day in (("eve", 4), ("Evie", 6), ("", 8)):
        commit(world, name, "eve@example.org", day=day)
    assert authors(shown(world)) == {"Evie": 3}


def test_persons_shown_alike_are_numbered_in_the_order_of_their_first_event(world: World) -> None:
    commit(world, "sam", "sam@one.example", day=9)
    commit(world, "Sam", "sam@example.org", user("sam"), day=8)
    commit(world, "sam", "sam@two.example", day=7)
    commit(world, "sam", "sam@one.example", day=6)
    rows = {r["author"]: r["num_commits"] for r in shown(world)["fct_num_author_commits_by_repo"]}
    # sam@one began on day 6, sam@two on day 7, the account on day 8.
    assert rows == {"sam": 2, "sam (2)": 1, "sam (3)": 1}
    assert only(shown(world)["fct_first_commits"], author="sam (3)")["first_commit_date"].day == 8


def test_events_by_nobody_known(world: World) -> None:
    for _ in range(3):
        commit(world, "", "")
    commit(world, "unknown", "somebody@example.org", day=2)
    commit(world, "Ada", "ada@example.org", user("ada"))
    tables = shown(world)
    rows = {r["author"]: (r["num_commits"], r["is_bot"], r["rank"]) for r in tables["fct_num_author_commits_by_repo"]}
    assert rows == {"unknown": (3, False, None), "unknown (2)": (1, False, 1), "ada": (1, False, 1)}
    year = only(tables["fct_contributor_absence_factor"], window_days=365)
    assert (year["factor"], year["contributors"], year["commits"]) == (1, 2, 2)
    assert {r["author"] for r in tables["fct_first_commits"]} == {"unknown (2)", "ada"}
    assert {r["person"] for r in tables["fct_people"]} == {"unknown (2)", "ada"}
    assert tables["fct_contributors"][0]["active"] == 2


@pytest.mark.parametrize(
    ("word", "is_bots"),
    [
        ("dependabot[bot]", True),
        ("acme-merge-bot", True),
        ("BOT", True),
        ("k8s_ci_Robot", True),
        ("robot-framework", True),
        ("abbott", False),
        ("botond", False),
        ("pytorchmergebot", False),
        ("Adriaan Bot", False),
        ("", False),
    ],
)
def test_a_bot_by_word(word: str, is_bots: bool) -> None:
    assert is_robot(word) is is_bots


def test_bots_are_flagged_and_have_no_rank(world: World) -> None:
    for who, count in ((ADA, 2), (BEN, 2), (ROBOT, 9), (person("cleo"), 1), (person("seeded"), 5)):
        for _ in range(count):
            world.commit(REPO, who, at=at(3))
    tables = shown(world, bots=("web-flow", "Seeded"))
    rows = {r["author"]: (r["is_bot"], r["rank"]) for r in tables["fct_num_author_commits_by_repo"]}
    assert rows == {
        "ada": (False, 1),
        "ben": (False, 1),
        "cleo": (False, 2),
        "robot[bot]": (True, None),
        "seeded": (True, None),
    }
    (web_flow,) = tables["fct_num_committer_commits_by_repo"]
    assert web_flow == {"repo": REPO, "committer": "web-flow", "is_bot": True, "num_commits": 19, "rank": None}


def bots(world: World, bots: tuple[str, ...] = (), not_bots: tuple[str, ...] = ()) -> dict[str, bool]:
    rows = shown(world, bots=bots, not_bots=not_bots)["fct_num_author_commits_by_repo"]
    return {r["author"]: r["is_bot"] for r in rows}


def test_a_person_is_a_bot_if_any_event_is(world: World) -> None:
    commit(world, "Release", "release@example.org", User("release", 3), day=3)
    commit(world, "semantic-release-bot", "release@example.org", day=4)  # joined by e-mail, judged by name
    commit(world, "ci-bot", "ci@example.org", User("helper", 4), day=4)  # judged by its login alone
    commit(world, "stand in", "robo@example.org", User("typed", 5, "Bot"), day=4)
    commit(world, "Merger", "m@example.org", User("merge-bot", 6), day=4)
    commit(world, "Merger", "m@example.org", User("merger", 6), day=5)
    assert bots(world) == {"release": True, "helper": False, "typed": True, "merger": True}


def test_seeds_name_logins_and_names_and_not_bots_wins(world: World) -> None:
    commit(world, "Some Script", "s@example.org")
    commit(world, "Ann", "ann@example.org", user("cursoragent"))
    commit(world, "Ann", "bot@example.org", user("ann-bot"))
    assert bots(world) == {"Some Script": False, "cursoragent": False, "ann-bot": True}
    assert bots(world, bots=("some script", "cursoragent")) == {"Some Script": True, "cursoragent": True, "ann-bot": True}
    freed = bots(world, bots=("some script", "cursoragent"), not_bots=("Ann-Bot", "cursoragent"))
    assert freed == {"Some Script": True, "cursoragent": False, "ann-bot": False}


def test_not_bots_frees_the_whole_person(world: World) -> None:
    commit(world, "Ann", "ann@example.org", User("ann-bot", 8), day=3)
    commit(world, "Ann", "ann@example.org", User("ann", 8), day=4)
    assert bots(world) == {"ann": True}
    assert bots(world, not_bots=("ann",)) == {"ann": False}


def test_a_bot_by_a_comment_is_a_bot_in_commits(world: World) -> None:
    commit(world, "Helper", "h@example.org", User("helper", 5))
    world.open_issue(REPO, "Q", ADA.user, at(6))
    world.comment(REPO, 1, User("helper", 5, "Bot"), at(7))
    assert bots(world) == {"helper": True}
    assert [r["number"] for r in shown(world)["fct_unanswered_issues"]] == [1]


def test_people_of_a_project_its_carriers_and_newcomers(world: World) -> None:
    """Within 90 days: ada 3, ben 3, cleo 1, a robot 5; ben began first."""
    world.add_repo(POND, at(1))
    cleo = person("cleo")
    for who, days, repo in (
        (ADA, (2, 3, 4), REPO),
        (BEN, (1, 5), REPO),
        (BEN, (6,), POND),
        (cleo, (7,), POND),
        (ROBOT, (8, 8, 8, 8, 8), POND),
        (cleo, (-400, -300), POND),
    ):
        for number in days:
            world.commit(repo, who, at=at(number))
    rows = [r for r in shown(world, projects=PAIR)["fct_people"] if r["scope"] == "Acme"]
    quarter = {r["person"]: r for r in rows if r["window_days"] == 90}
    brief = {who: (r["commits"], r["share"], r["rank"], r["carries"], r["is_new"]) for who, r in quarter.items()}
    assert brief == {
        "ada": (3, 3 / 7, 1, True, True),
        "ben": (3, 3 / 7, 1, True, True),
        "cleo": (1, 1 / 7, 2, False, False),
        "robot[bot]": (5, None, None, False, True),
    }
    assert quarter["cleo"]["first_commit_at"].year == 2024
    assert quarter["ben"]["last_commit_at"].day == 6
    always = {r["person"]: r["commits"] for r in rows if r["window_days"] == 0}
    assert always == {"ada": 3, "ben": 3, "cleo": 3, "robot[bot]": 5}
    assert {r["person"] for r in rows if r["window_days"] == 365 and r["is_new"]} == {"ada", "ben", "robot[bot]"}


def test_of_equal_carriers_the_one_who_began_first_carries_then_the_first_by_name(world: World) -> None:
    for who, day in ((BEN, 2), (ADA, 3)):
        world.commit(REPO, who, at=at(day))
    rows = [r for r in shown(world)["fct_people"] if (r["scope"], r["window_days"]) == (REPO, 90)]
    assert {r["person"]: r["carries"] for r in rows} == {"ben": True, "ada": False}
    world.commit(REPO, ADA, at=at(2))
    world.commit(REPO, BEN, at=at(4))
    rows = [r for r in shown(world)["fct_people"] if (r["scope"], r["window_days"]) == (REPO, 90)]
    assert {r["person"]: r["carries"] for r in rows} == {"ben": False, "ada": True}


def test_a_commit_of_two_repositories_of_a_project_counts_once(world: World) -> None:
    world.add_repo(POND, at(1))
    both = world.commit(REPO, ADA, at=at(3))
    world.repo(POND).commits[both.sha] = both
    world.repo(POND).head = both.sha
    tables = shown(world, projects=PAIR)
    assert only(tables["fct_people"], scope="Acme", window_days=0)["commits"] == 1
    assert only(tables["fct_people"], scope=POND, window_days=0)["commits"] == 1


def test_coauthors_are_counted_apart(world: World) -> None:
    world.commit(REPO, BEN, at=at(2))
    message = with_coauthors("Together", BEN, BEN, ADA, Person("Pure Co", "co@example.org"), Person("B", noreply(user("ben"))))
    world.commit(REPO, ADA, f"{message}\nco-authored-by:Ben<{BEN.email.upper()}>", at(3))
    tables = shown(world)
    rows = {r["person"]: (r["commits"], r["co_authored"]) for r in tables["fct_people"] if r["window_days"] == 0}
    # Nobody is their own co-author, or twice one of a commit; who only ever is one has no row.
    assert rows == {"ben": (1, 1), "ada": (1, 0)}
    assert authors(tables) == {"ben": 1, "ada": 1}


def test_trailers_make_no_links_and_no_events(world: World) -> None:
    world.commit(REPO, ADA, with_coauthors("x", Person("renovate-bot", "ben@example.org")), at(3))
    world.commit(REPO, BEN, at=at(3))
    assert bots(world) == {"ada": False, "ben": False}


@pytest.mark.parametrize("seed", range(25))
def test_a_lake_that_grew_has_the_same_people_as_a_fresh_one(seed: int) -> None:
    """Any sequence of renames, takeovers and other changes, looked at day by day or at once."""
    chance = random.Random(seed)
    world = tiny_world(seed)
    projects = [Project("Acme", tuple(sorted(r.name for r in world.repos.values())), tuple(sorted(world.packages)))]
    grown = Known(projects)
    for _ in range(4):
        grown.look(world, world.date)
        for _ in range(chance.randrange(9)):
            random_change(world, chance, odd=True)
        mara = user(chance.choice(("ada", "ben", "cleo", "dora")))
        world.rename_account(mara, f"{mara.login}-{chance.randrange(3)}")
    for repo in world.repos.values():
        world.set_gone(repo.name, None)
    grown.look(world, world.date, sweep=True)
    fresh = Known(projects)
    fresh.look(world, world.date, sweep=True)
    one, other = gold(grown, world.date), gold(fresh, world.date)
    for table in (
        "fct_people",
        "fct_num_author_commits_by_repo",
        "fct_num_committer_commits_by_repo",
        "fct_first_commits",
        "fct_contributors",
        "fct_issue_response",
    ):
        assert sorted(map(repr, one[table])) == sorted(map(repr, other[table])), table
