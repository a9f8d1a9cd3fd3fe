"""World objects in the shapes in which the APIs serve them, as JSON bytes.

An item's JSON is made once and kept until the item changes. Addresses inside items are those of
the real API: they are data, and answers must not depend on the simulator's port.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

from lakepulse_simulator.world import Comment, Commit, Issue, Package, Release, Repo, User, iso

API = "https://api.github.com"
WEB = "https://github.com"


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def node_id(kind: str, number: object) -> str:
    return base64.b64encode(f"0{len(kind)}:{kind}{number}".encode()).decode()


@lru_cache(maxsize=10_000)
def account(who: User | None) -> dict[str, Any] | None:
    """The object that stands for a user; null for a deleted one."""
    if who is None:
        return None
    url = f"{API}/users/{who.login}"
    return {
        "login": who.login,
        "id": who.id,
        "node_id": node_id("User", who.id),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{who.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{WEB}/apps/{who.login[:-5]}" if who.login.endswith("[bot]") else f"{WEB}/{who.login}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": who.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def repository(repo: Repo) -> bytes:
    owner, name = repo.name.split("/")
    url = f"{API}/repos/{repo.name}"
    holder = account(User(owner, 1_000 + int(hashlib.sha256(owner.lower().encode()).hexdigest()[:6], 16), "Organization"))
    return dump(
        {
            "id": repo.id,
            "node_id": node_id("Repository", repo.id),
            "name": name,
            "full_name": repo.name,
            "private": False,
            "owner": holder,
            "html_url": f"{WEB}/{repo.name}",
            "description": repo.description,
            "fork": False,
            "url": url,
            "commits_url": f"{url}/commits{{/sha}}",
            "issues_url": f"{url}/issues{{/number}}",
            "pulls_url": f"{url}/pulls{{/number}}",
            "releases_url": f"{url}/releases{{/id}}",
            "created_at": iso(repo.created_at),
            "updated_at": iso(repo.updated_at),
            "pushed_at": iso(repo.pushed_at),
            "homepage": None,
            "size": repo.size_kb,
            "stargazers_count": repo.stars,
            "watchers_count": repo.stars,
            "language": "Java",
            "has_issues": repo.has_issues,
            "has_projects": True,
            "has_downloads": True,
            "has_wiki": False,
            "has_pages": False,
            "has_discussions": False,
            "forks_count": repo.forks,
            "mirror_url": None,
            "archived": repo.is_archived,
            "disabled": repo.is_disabled,
            "open_issues_count": repo.open_issues,
            "license": {"key": "apache-2.0", "name": "Apache License 2.0", "spdx_id": "Apache-2.0"},
            "allow_forking": True,
            "is_template": False,
            "topics": ["lakehouse"],
            "visibility": "public",
            "forks": repo.forks,
            "open_issues": repo.open_issues,
            "watchers": repo.stars,
            "default_branch": repo.default_branch,
            "temp_clone_token": None,
            "organization": holder,
            "network_count": repo.network,
            "subscribers_count": repo.subscribers,
        }
    )


def commit(repo: Repo, item: Commit) -> bytes:
    if item.json is None:
        item.json = dump(item.recorded or _commit(repo, item))
    return item.json


def _commit(repo: Repo, item: Commit) -> dict[str, Any]:
    url = f"{API}/repos/{repo.name}"
    tree = hashlib.sha1(f"tree {item.sha}".encode(), usedforsecurity=False).hexdigest()
    is_signed = item.committer.user is not None and item.committer.user.login == "web-flow"
    return {
        "sha": item.sha,
        "node_id": node_id("Commit", f"{repo.id}:{item.sha}"),
        "commit": {
            "author": {
                "name": item.author.name,
                "email": item.author.email,
                "date": item.authored_text or iso(item.authored_at),
            },
            "committer": {
                "name": item.committer.name,
                "email": item.committer.email,
                "date": item.committed_text or iso(item.committed_at),
            },
            "message": item.message,
            "tree": {"sha": tree, "url": f"{url}/git/trees/{tree}"},
            "url": f"{url}/git/commits/{item.sha}",
            "comment_count": 0,
            "verification": {
                "verified": is_signed,
                "reason": "valid" if is_signed else "unsigned",
                "signature": None,
                "payload": None,
                "verified_at": iso(item.committed_at) if is_signed else None,
            },
        },
        "url": f"{url}/commits/{item.sha}",
        "html_url": f"{WEB}/{repo.name}/commit/{item.sha}",
        "comments_url": f"{url}/commits/{item.sha}/comments",
        "author": account(item.author.user),
        "committer": account(item.committer.user),
        "parents": [
            {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{WEB}/{repo.name}/commit/{sha}"} for sha in item.parents
        ],
    }


@lru_cache(maxsize=10_000)
def label(repo_name: str, name: str) -> dict[str, Any]:
    number = int(hashlib.sha256(f"{repo_name}/{name}".encode()).hexdigest()[:8], 16)
    return {
        "id": number,
        "node_id": node_id("Label", number),
        "url": f"{API}/repos/{repo_name}/labels/{name}",
        "name": name,
        "color": f"{number % 0x1000000:06x}",
        "default": name == "bug",
        "description": None,
    }


def _reactions(url: str) -> dict[str, Any]:
    kinds = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{url}/reactions", "total_count": 0} | dict.fromkeys(kinds, 0)


def issue(repo: Repo, item: Issue) -> bytes:
    """An item of /issues: an issue, or a pull request as that list shows it."""
    if item.json is None:
        item.json = dump(_issue(repo, item))
    return item.json


def _issue(repo: Repo, item: Issue) -> dict[str, Any]:
    base = f"{API}/repos/{repo.name}"
    url = f"{base}/issues/{item.number}"
    html_url = f"{WEB}/{repo.name}/{'pull' if item.is_pull else 'issues'}/{item.number}"
    found: dict[str, Any] = {
        "url": url,
        "repository_url": base,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": html_url,
        "id": item.id,
        "node_id": node_id("Issue", item.id),
        "number": item.number,
        "title": item.title,
        "user": account(item.user),
        "labels": [label(repo.name, name) for name in item.labels],
        "state": item.state,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": item.comments,
        "created_at": iso(item.created_at),
        "updated_at": iso(item.updated_at),
        "closed_at": None if item.closed_at is None else iso(item.closed_at),
        "author_association": item.association,
        "type": None,
        "active_lock_reason": None,
        "sub_issues_summary": {"total": 0, "completed": 0, "percent_completed": 0},
        "body": item.body,
        "closed_by": None,
        "reactions": _reactions(url),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None,
        "state_reason": item.state_reason,
    }
    if item.is_pull:
        found["draft"] = item.draft
        found["pull_request"] = {
            "url": f"{base}/pulls/{item.number}",
            "html_url": html_url,
            "diff_url": f"{html_url}.diff",
            "patch_url": f"{html_url}.patch",
            "merged_at": None if item.merged_at is None else iso(item.merged_at),
        }
    return found


def pull(repo: Repo, item: Issue) -> bytes:
    """An item of /pulls."""
    if item.pull_json is None:
        item.pull_json = dump(_pull(repo, item))
    return item.pull_json


def _pull(repo: Repo, item: Issue) -> dict[str, Any]:
    base = f"{API}/repos/{repo.name}"
    url = f"{base}/pulls/{item.number}"
    html_url = f"{WEB}/{repo.name}/pull/{item.number}"
    short = {"id": repo.id, "name": repo.name.split("/")[1], "full_name": repo.name, "url": base}
    head = hashlib.sha1(f"head {repo.id}/{item.number}".encode(), usedforsecurity=False).hexdigest()
    return {
        "url": url,
        "id": item.id + 5_000,
        "node_id": node_id("PullRequest", item.id + 5_000),
        "html_url": html_url,
        "diff_url": f"{html_url}.diff",
        "patch_url": f"{html_url}.patch",
        "issue_url": f"{base}/issues/{item.number}",
        "number": item.number,
        "state": item.state,
        "locked": False,
        "title": item.title,
        "user": account(item.user),
        "body": item.body,
        "created_at": iso(item.created_at),
        "updated_at": iso(item.updated_at),
        "closed_at": None if item.closed_at is None else iso(item.closed_at),
        "merged_at": None if item.merged_at is None else iso(item.merged_at),
        "merge_commit_sha": item.merge_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [label(repo.name, name) for name in item.labels],
        "milestone": None,
        "draft": item.draft,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{url}/comments{{/number}}",
        "comments_url": f"{base}/issues/{item.number}/comments",
        "statuses_url": f"{base}/statuses/{head}",
        "head": {
            "label": f"fork:work-{item.number}",
            "ref": f"work-{item.number}",
            "sha": head,
            "user": account(item.user),
            "repo": None,
        },
        "base": {"label": repo.default_branch, "ref": repo.default_branch, "sha": head, "user": None, "repo": short},
        "author_association": item.association,
        "auto_merge": None,
        "active_lock_reason": None,
    }


def comment(repo: Repo, item: Comment) -> bytes:
    if item.json is None:
        base = f"{API}/repos/{repo.name}"
        found = repo.issues.get(item.number)
        kind = "pull" if found is not None and found.is_pull else "issues"
        url = f"{base}/issues/comments/{item.id}"
        item.json = dump(
            {
                "url": url,
                "html_url": f"{WEB}/{repo.name}/{kind}/{item.number}#issuecomment-{item.id}",
                "issue_url": f"{base}/issues/{item.number}",
                "id": item.id,
                "node_id": node_id("IssueComment", item.id),
                "user": account(item.user),
                "created_at": iso(item.created_at),
                "updated_at": iso(item.updated_at),
                "body": item.body,
                "author_association": "NONE",
                "reactions": _reactions(url),
                "performed_via_github_app": None,
            }
        )
    return item.json


def release(repo: Repo, item: Release) -> bytes:
    if item.json is None:
        url = f"{API}/repos/{repo.name}/releases/{item.id}"
        item.json = dump(
            {
                "url": url,
                "assets_url": f"{url}/assets",
                "upload_url": f"https://uploads.github.com/repos/{repo.name}/releases/{item.id}/assets{{?name,label}}",
                "html_url": f"{WEB}/{repo.name}/releases/tag/{item.tag}",
                "id": item.id,
                "author": account(item.user),
                "node_id": node_id("Release", item.id),
                "tag_name": item.tag,
                "target_commitish": repo.default_branch,
                "name": item.name,
                "draft": item.draft,
                "immutable": False,
                "prerelease": item.prerelease,
                "created_at": iso(item.created_at),
                "updated_at": iso(item.published_at or item.created_at),
                "published_at": None if item.published_at is None else iso(item.published_at),
                "assets": [],
                "tarball_url": f"{API}/repos/{repo.name}/tarball/{item.tag}",
                "zipball_url": f"{API}/repos/{repo.name}/zipball/{item.tag}",
                "body": item.body,
            }
        )
    return item.json


def tag(repo: Repo, name: str, sha: str) -> bytes:
    url = f"{API}/repos/{repo.name}"
    return dump(
        {
            "name": name,
            "zipball_url": f"{url}/zipball/refs/tags/{name}",
            "tarball_url": f"{url}/tarball/refs/tags/{name}",
            "commit": {"sha": sha, "url": f"{url}/commits/{sha}"},
            "node_id": node_id("Ref", f"refs/tags/{name}"),
        }
    )


def simple_page(package: Package) -> bytes:
    """PEP 691 JSON with the fields of PEP 700 and the status of PEP 792."""
    # An index offers no file of a quarantined project.
    files = [] if package.status == "quarantined" else list(package.files.values())
    status = {"status": package.status} | ({"reason": package.status_reason} if package.status_reason else {})
    return dump(
        {
            "alternate-locations": [],
            "files": [
                {
                    "core-metadata": False,
                    "data-dist-info-metadata": False,
                    "filename": file.filename,
                    "hashes": {"sha256": hashlib.sha256(file.filename.encode()).hexdigest()},
                    "provenance": None,
                    "requires-python": file.requires_python,
                    "size": file.size,
                    "upload-time": f"{iso(file.uploaded_at)[:-1]}.{file.microsecond:06d}Z",
                    # A yanked file without a reason is `true`, one with a reason is that text.
                    "url": f"../../files/{file.filename}",
                    "yanked": (file.yanked_reason or True) if file.yanked else False,
                }
                for file in files
            ],
            "meta": {"_last-serial": package.version, "api-version": "1.4"},
            "name": package.name,
            "project-status": status,
            "versions": list(dict.fromkeys(file.version for file in files)),
        }
    )
