"""The demo world: about three years of four repositories and two packages, day by day, and an invented project.

Every source of chance is one generator per repository or package, used up in the order of days,
so a date's world is the day before's continued and depends on nothing but seed and date.

Odd situations that real projects have happen here too, each on a day of its own (`HAPPENINGS`) or now
and then. What takes a whole repository or package, such as an archive or a quarantine, happens to
the invented project.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache

from lakepulse_simulator.world import (
    ACTIONS_BOT,
    DAY,
    DEPENDABOT,
    WEB_FLOW,
    Issue,
    Person,
    User,
    World,
    epoch,
    noreply,
    normalise,
    user,
)

START = date(2023, 10, 2)
"""The first day of the demo's history, a Monday."""


def _words(text: str) -> list[str]:
    return text.split("|")


FIRST_NAMES = _words(
    "Ada|Bruno|Chen|Dalia|Emeka|Farid|Greta|Hiro|Ines|Jonas|Kavya|Lars|Mina|Nadia|Omar|Priya|"
    "Quentin|Rosa|Sven|Tala|Ulrich|Vera|Wei|Ximena|Yusuf|Zofia|Aiko|Bashir|Celine|Dmitri|Elif|"
    "Fintan|Gita|Henrik|Ivana|Jamal"
)
LAST_NAMES = _words(
    "Abara|Bergström|Castro|Dubois|Eriksen|Farouk|Gruber|Hansen|Ito|Jansen|Kowalski|Li|Moreau|"
    "Nakamura|Okafor|Petrov|Quist|Rao|Silva|Tanaka|Ueda|Varga|Weber|Xu|Yilmaz|Zhang|Álvarez|Østby|"
    "O'Neill|D'Souza"
)
AREAS = {
    "apache/iceberg": ("Core", "Spark", "Flink", "API", "AWS", "Docs", "Parquet", "Kafka Connect", "REST", "Build"),
    "apache/iceberg-python": ("Core", "Catalog", "Table", "IO", "Docs", "CLI", "Build"),
    "delta-io/delta": ("Spark", "Kernel", "Standalone", "Sharing", "Protocol", "Docs", "Build"),
    "apache/hudi": ("HUDI-CORE", "Flink", "Spark", "CLI", "Timeline", "Metadata", "Docs"),
}
HARBOUR = "acme/harbour"
"""An invented repository: its issues are elsewhere, and it ends archived."""
QUARANTINED = "acme-harbour"
NEWBORN = "acme-harbour-ng"
ROBOT = User("hudi-bot", 59_300_001)
"""A robot whose account is a user's."""
AGENT = Person("Cursor Agent", "agent@cursor.example", User("cursoragent", 199_161_495))
VERBS = _words("Add|Fix|Support|Remove|Refactor|Speed-up|Validate|Document|Test|Deprecate|Bump|Handle")
THINGS = _words(
    "partition pruning|snapshot expiry|nested field projection|schema evolution|positional deletes|"
    "manifest caching|timestamp conversion|catalog retries|row lineage|equality deletes|metadata tables|"
    "branch writes|bloom filters|column statistics|compaction planning|merge on read|credential refresh|"
    "name mapping|sort order checks|view listing"
)
LABELS = (("bug", 30), ("enhancement", 18), ("question", 16), ("improvement", 10), ("documentation", 7), ("Bug", 5))
RARE_LABELS = ("good first issue", "help wanted", "BUG", "", "wont fix", "priority:🔥")
HOSTILE = (
    "<script>alert('title')</script> in the table properties",
    "Robert'); DROP TABLE issues;--",
    "Crash on 🚀 emoji in column name 👩\u200d👩\u200d👧\u200d👦",
    "Right-to-left \u202egnp.exe\u202c in a path",
    "NUL \u0000 inside a partition value",
    "<img src=x onerror=alert(1)> & &amp; [link](javascript:alert(2))",
    "Ünïcödé, 中文标题 and العربية together",
    '"quotes", `ticks`, \\backslashes\\, \ttabs',
    '=HYPERLINK("http://example.org") as a default value',
)
LOGIN_EXTRA = ("", "-dev", "42", "hub", "-data", "x")


@dataclass(frozen=True)
class Profile:
    """How a repository behaves; rates are per day at the start of the history."""

    pulls: float
    issues: float
    growth: float
    """Activity at the end of three years over that at the start."""
    people: int
    first_person: int
    """Where in the world's row of people its own begin: overlapping ranges share contributors."""
    stars: float
    stars_at_start: int
    answers: float
    """Share of issues that somebody answers."""
    response_hours: float
    close_days: float
    package: str | None = None
    version: tuple[int, int, int] = (1, 0, 0)
    release_days: int = 60
    tag: str = "v{}"
    local_merges: float = 0.0
    """Share of merges that a maintainer commits, not GitHub."""
    late_merges: float = 0.0
    """Branches merged per day with commits of long ago."""
    stale_bot: bool = False
    script_merges: float = 0.0
    """Share of merges that a committer's script does, so that GitHub calls them closed."""
    robot: User | None = None
    """Who greets pull requests."""
    agent: float = 0.0
    """Share of pull requests by a coding agent."""
    start: date = START
    end: date | None = None
    """The day on which it is archived."""


PROFILES = {
    "apache/iceberg": Profile(
        1.20, 0.42, 1.5, 70, 0, 3.4, 4_600, 0.84, 9, 12, version=(1, 4, 0), release_days=74, tag="apache-iceberg-{}",
        late_merges=0.006, stale_bot=True, agent=0.02,
    ),
    "apache/iceberg-python": Profile(
        0.56, 0.22, 2.2, 40, 30, 0.8, 140, 0.90, 5, 9, "pyiceberg", (0, 5, 0), 58, "pyiceberg-{}", late_merges=0.004,
    ),
    "delta-io/delta": Profile(
        0.62, 0.25, 1.2, 48, 90, 1.6, 6_600, 0.70, 22, 24, "delta-spark", (2, 4, 0), 66, "v{}", local_merges=0.4,
        late_merges=0.003,
    ),
    "apache/hudi": Profile(
        0.78, 0.24, 0.7, 44, 130, 0.7, 4_900, 0.62, 34, 30, version=(0, 14, 0), release_days=95, tag="release-{}",
        late_merges=0.012, script_merges=0.12, robot=ROBOT,
    ),
    HARBOUR: Profile(
        0.12, 0.0, 0.6, 6, 400, 0.05, 40, 0.8, 20, 20, QUARANTINED, (0, 3, 0), 120, start=date(2025, 6, 2),
        end=date(2026, 6, 1),
    ),
}  # fmt: skip
WEEK_RHYTHM = (1.18, 1.28, 1.24, 1.20, 1.02, 0.56, 0.52)


@dataclass(frozen=True)
class Market:
    """How a package is downloaded."""

    start_downloads: float
    growth: float
    mirrors: float
    python: tuple[str, ...]
    start: date = START


MARKETS = {
    "pyiceberg": Market(38_000, 9.0, 1.06, ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")),
    "delta-spark": Market(610_000, 1.9, 1.02, ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12")),
    QUARANTINED: Market(60, 0.6, 1.4, ("3.11", "3.12"), date(2025, 8, 4)),
    NEWBORN: Market(2.2, 1.5, 1.0, ("3.12", "3.13"), date(2026, 11, 7)),
}
OTHER_MARKET = Market(4_000, 2.0, 1.2, ("3.9", "3.10", "3.11", "3.12"))
COUNTING_CHANGED = date(2026, 8, 24)
"""From this day on the real pypistats counts fewer of the files that an installer fetches."""
SYSTEMS = (("Linux", 0.86), ("Darwin", 0.045), ("Windows", 0.04), ("null", 0.05), ("other", 0.005))


@cache
def somebody(seed: int, number: int) -> Person:
    """The `number`-th person of a world; the same for every repository."""
    chance = random.Random(f"{seed}/person/{number}")
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    login = f"{first}{last[0]}{chance.choice(LOGIN_EXTRA)}{number}".lower()
    if chance.random() < 0.2:
        login = login.upper()[:1] + login[1:]
    name = f"{first} {last}"
    email = f"{first.lower()}.{number}@example.{chance.choice(('com', 'org', 'net'))}"
    # Some people never gave GitHub the address that they commit with.
    return Person(name, email, None if chance.random() < 0.05 else user(login))


def poisson(chance: random.Random, mean: float) -> int:
    limit, count, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        count += 1
        product *= chance.random()
    return count


@dataclass
class _RepoLife:
    """One repository's history, one day at a time."""

    world: DemoWorld
    name: str
    profile: Profile
    chance: random.Random
    agenda: list[tuple[int, int, Callable[[int], None]]] = field(default_factory=list)
    order: int = 0
    newcomers: int = 0
    next_release: date = START
    version: tuple[int, int, int] = (0, 0, 0)
    rebase_day: int = 0

    def begin(self) -> None:
        start = epoch(self.profile.start)
        repo = self.world.add_repo(self.name, start)
        repo.stars = self.profile.stars_at_start
        repo.forks = repo.network = self.profile.stars_at_start // 3
        repo.subscribers = self.profile.stars_at_start // 40
        repo.size_kb = 18_000
        self.version = self.profile.version
        self.next_release = self.profile.start + timedelta(days=self.chance.randint(12, self.profile.release_days))
        self.rebase_day = self.chance.randrange(30, 371)
        self.newcomers = self.profile.people // 3
        if self.name == HARBOUR:
            self.world.switch_issues(self.name, False)
        self.world.commit(self.name, self.maintainer(), "Initial import", start + 7 * 3600)

    # --- who

    def member(self, number: int) -> Person:
        return somebody(self.world.seed, self.profile.first_person + number)

    def maintainer(self) -> Person:
        """One of the few who merge; they have accounts."""
        while True:
            found = self.member(min(int(self.chance.expovariate(0.45)), 7))
            if found.user is not None:
                return found

    def contributor(self) -> Person:
        """Somebody known, mostly one of the few who do most, and now and then somebody new."""
        if self.chance.random() < 0.055:
            self.newcomers += 1
            # People past the core are this repository's own.
            return somebody(self.world.seed, 1_000_000 + self.profile.first_person * 10_000 + self.newcomers)
        core = min(self.newcomers + 6, self.profile.people)
        number = int(core * self.chance.random() ** 2.6)
        return self.as_committing(self.member(number), number)

    def as_committing(self, found: Person, number: int) -> Person:
        """The same human, sometimes under another name or from another machine."""
        draw = self.chance.random()
        if number == 2 and draw < 0.3:
            return replace(found, name=found.name.lower())
        if number == 3 and draw < 0.25:
            return Person(found.name, f"{found.email.split('@')[0]}@laptop.local")
        if number == 5 and draw < 0.1:
            return Person(found.name, "")
        if number == 6 and draw < 0.1 and found.user is not None:
            return Person(found.name, noreply(found.user))
        return found

    def reporter(self) -> User | None:
        draw = self.chance.random()
        if draw < 0.012:
            return None
        if draw < 0.03:
            return ACTIONS_BOT
        if draw < 0.55:
            self.newcomers += 1
            number = 2_000_000 + self.profile.first_person * 10_000 + int(self.newcomers * 3 * self.chance.random())
            found = somebody(self.world.seed, number).user
            if found is not None:
                return found
        return self.contributor().user or user("quiet-reader")

    # --- when

    def at(self, when: float, action: Callable[[int], None]) -> None:
        self.order += 1
        heapq.heappush(self.agenda, (int(when), self.order, action))

    def moment(self, start: int) -> int:
        """A time of the day; afternoons UTC are busiest."""
        hour = min(max(self.chance.gauss(14.5, 4.2), 0.0), 23.99)
        return start + int(hour * 3600)

    def day(self, day: date) -> None:
        if self.profile.end is not None and day >= self.profile.end:
            if day == self.profile.end:
                self.world.archive(self.name)
            return
        start = epoch(day)
        age = (day - self.profile.start).days / 1095
        pace = WEEK_RHYTHM[day.weekday()] * math.pow(self.profile.growth, age)
        if (day.month, day.day) >= (12, 23) or (day.month, day.day) <= (1, 2):
            pace *= 0.35
        for _ in range(poisson(self.chance, self.profile.pulls * pace)):
            self.at(self.moment(start), self.open_pull)
        for _ in range(poisson(self.chance, self.profile.issues * pace)):
            self.at(self.moment(start), self.open_issue)
        if self.chance.random() < self.profile.late_merges:
            self.at(self.moment(start), self.merge_branch)
        if (day - self.profile.start).days % 371 == self.rebase_day:
            self.at(self.moment(start), self.rebase)
        if day >= self.next_release:
            self.at(start + 17 * 3600, self.release)
        self.grow(day, pace)
        while self.agenda and self.agenda[0][0] < start + DAY:
            when, _, action = heapq.heappop(self.agenda)
            action(when)

    def grow(self, day: date, pace: float) -> None:
        repo = self.world.repo(self.name)
        # Once a year a post somewhere brings a crowd.
        crowd = 12 if (day.timetuple().tm_yday + len(self.name) * 17) % 365 < 2 else 1
        repo.stars += poisson(self.chance, self.profile.stars * min(pace, 1.6) * crowd)
        if self.chance.random() < self.profile.stars / 4:
            repo.forks += 1
            repo.network += 1
        if self.chance.random() < self.profile.stars / 60:
            repo.subscribers += 1
        repo.size_kb += poisson(self.chance, 30)
        repo.updated_at = max(repo.updated_at, epoch(day) + self.chance.randrange(DAY))
        repo.version += 1

    # --- what

    def title(self) -> str:
        if self.chance.random() < 0.012:
            return self.chance.choice(HOSTILE)
        area = self.chance.choice(AREAS.get(self.name, ("Core", "Docs", "Build")))
        return f"{area}: {self.chance.choice(VERBS)} {self.chance.choice(THINGS)}"

    def some_labels(self) -> list[str]:
        names, weights = zip(*LABELS, strict=True)
        found = self.chance.choices(names, weights, k=self.chance.choice((0, 1, 1, 1, 2)))
        if self.chance.random() < 0.05:
            found.append(self.chance.choice(RARE_LABELS))
        return list(dict.fromkeys(found))

    def alive(self, issue: Issue) -> bool:
        return self.world.repo(self.name).issues.get(issue.number) is issue

    def remark(self, issue: Issue, writer: User | None, body: str) -> Callable[[int], None]:
        def action(when: int) -> None:
            if self.alive(issue):
                self.world.comment(self.name, issue.number, writer, when, body=body)

        return action

    def open_pull(self, when: int) -> None:
        chance = self.chance
        draw = chance.random()
        if draw < 0.09:
            who, title = (
                DEPENDABOT,
                f"Build: Bump library-{chance.randint(1, 40)} to {chance.randint(1, 9)}.{chance.randint(0, 20)}",
            )
        elif draw < 0.09 + self.profile.agent:
            who, title = AGENT, self.title()
        else:
            who, title = self.contributor(), self.title()
        pull = self.world.open_pull(
            self.name,
            title,
            (who.user or user(who.name.replace(" ", "-").lower())) if chance.random() > 0.006 else None,
            when,
            labels=[f"area {title.split(':')[0].lower()}"],
            association="CONTRIBUTOR" if chance.random() < 0.8 else "FIRST_TIME_CONTRIBUTOR",
            body="What changes and why.",
            draft=chance.random() < 0.05,
        )
        if self.profile.robot is not None and chance.random() < 0.2:
            self.at(when + 600, self.remark(pull, self.profile.robot, "CI report: all checks passed."))
        for _ in range(poisson(chance, 0.6)):
            wait = chance.lognormvariate(math.log(20), 1.2) * 3600
            self.at(when + wait, self.remark(pull, self.maintainer().user, "One question about the test."))
        fate = chance.random()
        wait = chance.lognormvariate(math.log(2.2), 1.3) * DAY
        if fate < 0.80:
            self.at(when + wait, lambda at: self.merge(pull, who, at))
        elif fate < 0.94:
            self.at(when + wait * 4, lambda at: self.close(pull, at))

    def merge(self, pull: Issue, who: Person, when: int) -> None:
        if pull.state == "open" and self.alive(pull):
            if self.chance.random() < self.profile.script_merges:
                self.world.merge_by_script(self.name, pull.number, who, when, committer=self.maintainer())
                return
            is_local = self.chance.random() < self.profile.local_merges
            committer = self.maintainer() if is_local else WEB_FLOW
            age = int(self.chance.expovariate(1 / 30_000))
            helpers = [self.member(self.chance.randrange(9))] if self.chance.random() < 0.05 else []
            self.world.merge_pull(self.name, pull.number, who, when, committer=committer, age=age, helpers=helpers)

    def close(self, issue: Issue, when: int, reason: str = "completed") -> None:
        if issue.state == "open" and self.alive(issue):
            self.world.close_issue(self.name, issue.number, when, reason=reason)

    def diligence(self, when: int) -> float:
        """How eagerly issues are closed: it swings over ten months, so the backlog grows and shrinks."""
        return 1 + 0.8 * math.sin(2 * math.pi * when / (300 * DAY) + len(self.name))

    def open_issue(self, when: int) -> None:
        chance = self.chance
        opener = self.reporter()
        issue = self.world.open_issue(
            self.name, self.title(), opener, when, labels=self.some_labels(), body="### Steps\n1. Run it\n2. See it fail"
        )
        if chance.random() < 0.15:
            self.at(when + 60, self.remark(issue, ACTIONS_BOT, "Thank you for the report."))
        if chance.random() < 0.1:
            self.at(when + 1800, self.remark(issue, opener, "It happens with the newest version too."))
        if chance.random() < self.profile.answers:
            wait = chance.lognormvariate(math.log(self.profile.response_hours), 1.5) * 3600
            helper = self.maintainer() if chance.random() < 0.7 else self.contributor()
            self.at(when + wait, self.remark(issue, helper.user, "Could you share the plan?"))
            for _ in range(poisson(chance, 0.9)):
                wait += chance.expovariate(1 / 2.5) * DAY
                self.at(when + wait, self.remark(issue, chance.choice((opener, helper.user)), "See above."))
        if chance.random() < min(0.95, 0.62 * self.diligence(when)):
            wait = chance.lognormvariate(math.log(self.profile.close_days), 1.4) * DAY
            reason = "not_planned" if chance.random() < 0.2 else "completed"
            self.at(when + wait, lambda at: self.close(issue, at, reason))
            if chance.random() < 0.04:
                self.at(when + wait + 3 * DAY, lambda at: self.reopen(issue, at))
        elif self.profile.stale_bot:
            self.at(when + 180 * DAY, lambda at: self.stale(issue, at))

    def reopen(self, issue: Issue, when: int) -> None:
        if issue.state == "closed" and self.alive(issue):
            self.world.reopen_issue(self.name, issue.number, when)
            if self.chance.random() < 0.7:
                self.at(when + self.chance.expovariate(0.1) * DAY, lambda at: self.close(issue, at))

    def stale(self, issue: Issue, when: int) -> None:
        if issue.state == "open" and self.alive(issue) and self.chance.random() < 0.6:
            self.world.edit_issue(self.name, issue.number, when, labels=[*issue.labels, "stale"])
            self.world.comment(self.name, issue.number, ACTIONS_BOT, when + 1, body="Nothing happened here for 180 days.")
            reason = self.chance.choice(("not_planned", "not_planned", "duplicate"))
            self.at(when + 14 * DAY, lambda at: self.close(issue, at, reason))

    def merge_branch(self, when: int) -> None:
        authors = [self.contributor() for _ in range(self.chance.randint(2, 6))]
        self.world.merge_late(self.name, authors, self.chance.uniform(5, 45), when)

    def rebase(self, when: int) -> None:
        few = [self.contributor() for _ in range(3)]
        authors = [self.chance.choice(few) for _ in range(self.chance.randint(16, 28))]
        self.world.commit_many(self.name, authors, when)

    def release(self, when: int) -> None:
        chance = self.chance
        major, minor, patch = self.version
        is_patch = chance.random() < 0.35
        self.version = (major, minor, patch + 1) if is_patch else (major, minor + 1, 0)
        version = ".".join(map(str, self.version))
        day = START + timedelta(days=(when - epoch(START)) // DAY)
        gap = self.profile.release_days
        self.next_release = day + timedelta(days=chance.randint(int(gap * 0.6), int(gap * 1.5)))
        if not is_patch:
            self.publish(f"{version}rc1", when, is_final=False)
            wait = chance.randint(4, 9) * DAY
            if chance.random() < 0.3:
                self.at(when + wait, lambda at: self.publish(f"{version}rc2", at, is_final=False))
                wait += 5 * DAY
            self.at(when + wait, lambda at: self.publish(version, at, is_final=True))
        else:
            self.publish(version, when, is_final=True)

    def publish(self, version: str, when: int, *, is_final: bool) -> None:
        # A tag spells a candidate otherwise than PyPI does.
        tag = self.profile.tag.format(version.replace("rc", "-rc."))
        self.world.release(self.name, tag, self.maintainer().user, when, prerelease=not is_final)
        package = self.profile.package
        if package is not None and normalise(package) in self.world.packages:
            tags = ("py3-none-any",) if package != "pyiceberg" else ("cp311-cp311-linux_x86_64", "cp312-cp312-linux_x86_64")
            self.world.upload(package, version, when + 1800, wheels=tags)
            if is_final and self.chance.random() < 0.06:
                self.at(when + 2 * DAY, lambda _: self.world.yank(package, version, "Broken wheel metadata"))


@dataclass
class _PackageLife:
    """One package's downloads, day by day, and its releases if no repository makes them."""

    world: DemoWorld
    name: str
    market: Market
    chance: random.Random
    releases_itself: bool
    minor: int = 0
    next_release: date = START

    def day(self, day: date) -> None:
        if self.releases_itself and day >= self.next_release:
            self.minor += 1
            self.world.upload(self.name, f"1.{self.minor}.0", epoch(day) + 15 * 3600)
            self.next_release = day + timedelta(days=self.chance.randint(40, 90))
        chance, market = self.chance, self.market
        count = self.expected(day) * chance.lognormvariate(0, 0.07)
        odd = (day.toordinal() * 7 + len(self.name)) % 331
        if odd == 0:
            count *= 3.4
        elif odd == 5:
            count *= 0.25
        missing = chance.random()
        # Few downloads are a matter of luck.
        total = int(count) if count > 50 else poisson(chance, count)
        mirrored = int(total * market.mirrors * chance.lognormvariate(0, 0.02))
        pythons = self.split(total, self.python_shares(day))
        systems = self.split(total, SYSTEMS)
        if missing > 0.004:
            found = self.world.packages[normalise(self.name)]
            if missing > 0.006:
                # pypistats has no row for nothing.
                without = {"without_mirrors": total} if total else {}
                found.downloads["overall"][day] = {"with_mirrors": max(mirrored, total, 1), **without}
            found.downloads["python_minor"][day] = pythons
            found.downloads["system"][day] = systems
            found.version += 1
        if chance.random() < 0.03:
            self.correct(day - timedelta(days=chance.randint(1, 4)))

    def expected(self, day: date) -> float:
        age = (day - self.market.start).days / 1095
        rhythm = (1.06, 1.09, 1.08, 1.06, 1.01, 0.85, 0.84)[day.weekday()]
        # A steep start that flattens, as adoption does.
        base = self.market.start_downloads * math.pow(self.market.growth, 1 - math.exp(-1.4 * age)) * rhythm
        if day >= COUNTING_CHANGED:
            base *= 0.8
        days_since = [
            (epoch(day) - file.uploaded_at) / DAY
            for file in self.world.packages[normalise(self.name)].files.values()
            if file.packagetype == "sdist" and "rc" not in file.version
        ]
        return base * (1 + sum(0.22 * math.exp(-since / 5) for since in days_since if 0 <= since < 40))

    def python_shares(self, day: date) -> list[tuple[str, float]]:
        """Users move from version to version over the years."""
        centre = 1.2 + 2.6 * ((day - self.market.start).days / 1095)
        shares = [(name, math.exp(-((i - centre) ** 2) / 2.2)) for i, name in enumerate(self.market.python)]
        whole = sum(share for _, share in shares)
        return [*((name, share / whole * 0.96) for name, share in shares), ("2.7", 0.002), ("null", 0.035)]

    def split(self, total: int, shares: Sequence[tuple[str, float]]) -> dict[str, int]:
        found = {name: int(total * share * self.chance.lognormvariate(0, 0.04)) for name, share in shares[1:]}
        found = {name: count for name, count in found.items() if count > 0}
        first = max(0, total - sum(found.values()))
        return {shares[0][0]: first} | found if first else found

    def correct(self, day: date) -> None:
        """pypistats recounts a recent day."""
        package = self.world.packages[normalise(self.name)]
        counts = package.downloads["overall"].get(day)
        if counts and self.market.start_downloads > 50:
            counts["with_mirrors"] += 11
            counts["without_mirrors"] += 7
            package.version += 1


class DemoWorld(World):
    """A world that moves on by itself; its clock stands at the start of `date`."""

    def __init__(self, day: date, seed: int = 0) -> None:
        super().__init__(day, seed)
        self.now = epoch(START)
        self.grown = START
        """Days before this one have happened."""
        self._repos: list[_RepoLife] = []
        self._packages: list[_PackageLife] = []

    def set_date(self, day: date) -> None:
        """Move on to a later day.

        Raises:
            ValueError: an earlier day; make a new world for that.
        """
        with self.lock:
            if day < self.date:
                raise ValueError(f"the world is at {self.date} and cannot go back to {day}")
            self.date = day
            while self.grown < day:
                today = self.grown
                for repo in self._repos:
                    if today == repo.profile.start:
                        repo.begin()
                    if today >= repo.profile.start:
                        repo.day(today)
                for package in self._packages:
                    if today >= package.market.start:
                        package.day(today)
                for happens_on, happening in HAPPENINGS:
                    if today == happens_on:
                        happening(self, epoch(today) + 12 * 3600)
                self.grown += timedelta(days=1)
            self.now = max(self.now, epoch(day))

    def known_account(self, first: int) -> User:
        """The account of the first of a row of people who has one, under its first login."""
        return next(found for number in range(99) if (found := somebody(self.seed, first + number).user))

    def plan_repo(self, name: str, profile: Profile) -> None:
        chance = random.Random(f"{self.seed}/repo/{name.lower()}")
        self._repos.append(_RepoLife(self, name, profile, chance))

    def plan_package(self, name: str, market: Market) -> None:
        name = normalise(name)
        self.add_package(name)
        is_made = any(life.profile.package == name for life in self._repos)
        chance = random.Random(f"{self.seed}/package/{name}")
        self._packages.append(_PackageLife(self, name, market, chance, not is_made, next_release=market.start))


def _rename(world: DemoWorld, when: int) -> None:
    """One of those who do most changes her login."""
    mara = world.known_account(PROFILES["apache/iceberg"].first_person)
    world.tick(when)
    world.rename_account(mara, f"{mara.login}-renamed")


def _take_over(world: DemoWorld, when: int) -> None:
    """Somebody new takes the login that she gave up, and has a question."""
    mara = world.known_account(PROFILES["apache/iceberg"].first_person)
    newcomer = User(mara.login, 9_000_001)
    world.open_issue("apache/iceberg-python", "Docs: Where do I begin?", newcomer, when)
    world.commit(
        "apache/iceberg-python", Person("New Comer", "new.comer@example.net", newcomer), "Docs: Fix a typo", when + 3600
    )


def _move_tracker(world: DemoWorld, when: int) -> None:
    """Tickets of an older tracker are copied in, with their dates and comments."""
    answers = [somebody(world.seed, PROFILES["apache/hudi"].first_person + number).user for number in range(3)]
    for number in range(14):
        opened = epoch(date(2023, 7, 3)) + number * 5 * DAY
        comments = [(answers[number % 3], opened + days * DAY) for days in (-1, 3)[: number % 3]]
        closed_at = opened + 30 * DAY if number % 2 else None
        title = f"HUDI-{6400 + number}: {THINGS[number]}"
        at = when + number * 60
        world.import_issue(
            "apache/hudi", title, user("jira-mover"), at, created_at=opened, closed_at=closed_at, comments=comments
        )


def _by_clock(authored_at: int | None = None, authored_text: str | None = None) -> Callable[[DemoWorld, int], None]:
    """A commit from a machine whose clock is wrong."""

    def happen(world: DemoWorld, when: int) -> None:
        who = somebody(world.seed, PROFILES["delta-io/delta"].first_person)
        world.commit(
            "delta-io/delta",
            who,
            "Spark: Fix the build",
            when,
            authored_at=authored_at,
            authored_text=authored_text,
            committer=who,
        )

    return happen


def _by(name: str, email: str) -> Callable[[DemoWorld, int], None]:
    """A commit by somebody known by this name and address only."""

    def happen(world: DemoWorld, when: int) -> None:
        who = Person(name, email)
        world.commit("apache/iceberg", who, "Core: Fix a test", when, committer=who)

    return happen


def _delete_wheel(world: DemoWorld, _when: int) -> None:
    """The file that was uploaded first of the newest final version."""
    files = [file for file in world.package("pyiceberg").files.values() if "rc" not in file.version]
    if files:
        newest = max(files, key=lambda file: file.uploaded_at).version
        world.delete_file("pyiceberg", next(file.filename for file in files if file.version == newest))


HAPPENINGS: tuple[tuple[date, Callable[[DemoWorld, int], None]], ...] = (
    (date(2024, 4, 3), _by_clock(authored_at=0)),
    (date(2024, 8, 14), _by("", "")),
    (date(2024, 11, 20), _by("jane.roe@example.org", "jane.roe@example.org")),
    (date(2025, 1, 15), _by_clock(authored_at=epoch(date(2038, 1, 19)))),
    (date(2025, 2, 5), _by("Ada", "ada@elsewhere.example")),
    (date(2025, 3, 5), _by("Ada", "ada@third.example")),
    (date(2025, 6, 16), _rename),
    (date(2025, 8, 4), _delete_wheel),
    (date(2025, 11, 10), _move_tracker),
    (date(2026, 2, 23), _take_over),
    (date(2026, 3, 9), _by_clock(authored_text="58213-04-26T07:34:56Z")),
    (date(2026, 9, 14), lambda world, _when: world.set_status(QUARANTINED, "quarantined", "Reported as malware")),
)
"""Day -> what happens at noon, once."""


def demo_world(
    day: date, seed: int = 0, extra_repos: Sequence[str] = (), extra_packages: Sequence[str] = (), scale: float = 1.0
) -> DemoWorld:
    """The world of the demo's project list at a date, with more repositories and packages on request.

    `scale` multiplies how much happens in each repository.
    """
    world = DemoWorld(min(day, START), seed)
    profiles = dict(PROFILES)
    for i, name in enumerate(extra_repos):
        if name.lower() not in profiles:
            profiles[name] = Profile(0.3, 0.15, 1.3, 20, 200 + 25 * i, 0.5, 90, 0.8, 12, 14)
    for name, profile in profiles.items():
        world.plan_repo(name, replace(profile, pulls=profile.pulls * scale, issues=profile.issues * scale))
    for name in dict.fromkeys([*MARKETS, *map(normalise, extra_packages)]):
        world.plan_package(name, MARKETS.get(name, OTHER_MARKET))
    world.set_date(day)
    return world
