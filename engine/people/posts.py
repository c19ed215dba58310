"""The posts 岗位 and what each may do, read from `posts.json`: rights are data, here is only their shape.

A post `sees` one of:
- `unit`: every case in which its unit takes part (the posts that work cases);
- `post`: only cases that name this very post (an expert, a member of the leading group);
- `watch`: nothing of its own; what its powers open is read only, and each look is logged (the auditor);
- `nothing`: never the content of a case, whatever else happens (administrators).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

_SIGHTS = ("unit", "post", "watch", "nothing")


@dataclass(frozen=True, slots=True)
class Post:
    """One post. `powers_in` are the powers that count only in a unit which carries that body.

    `opinions` is False for a post that may see a case but not what officials wrote in it. `alone` marks the
    administrators that a person holds without any other post (separation of the three administrators, 三员分立).
    """

    key: str
    label: str
    sees: str
    powers: frozenset[str]
    powers_in: Mapping[str, frozenset[str]]
    opinions: bool
    alone: bool

    @property
    def works_cases(self) -> bool:
        """Whether tasks of cases may be given to this post."""
        return self.sees in ("unit", "post")


def _read() -> tuple[dict[str, Post], dict[str, str], dict[str, str]]:
    data = json.loads(Path(__file__).with_name("posts.json").read_text(encoding="utf-8"))
    bodies, powers = data["bodies"], data["powers"]
    posts = {key: _post(key, entry) for key, entry in data["posts"].items()}
    for post in posts.values():
        named = post.powers.union(*post.powers_in.values())
        if post.sees not in _SIGHTS or not named <= powers.keys() or not post.powers_in.keys() <= bodies.keys():
            raise ValueError(f"posts.json: post {post.key!r} names an unknown sight, power or body")
    return posts, powers, bodies


def _post(key: str, entry: Mapping[str, Any]) -> Post:
    return Post(
        key=key,
        label=entry["label"],
        sees=entry["sees"],
        powers=frozenset(entry.get("powers", ())),
        powers_in=MappingProxyType({body: frozenset(powers) for body, powers in entry.get("powers_in", {}).items()}),
        opinions=entry.get("opinions", True),
        alone=entry.get("alone", False),
    )


_posts, _powers, _bodies = _read()

#: Post key → post.
POSTS: Mapping[str, Post] = MappingProxyType(_posts)
#: Power key → what it is called on screens.
POWERS: Mapping[str, str] = MappingProxyType(_powers)
#: Body key → what it is called on screens.
BODIES: Mapping[str, str] = MappingProxyType(_bodies)


def post_label(key: str) -> str:
    """The Chinese name of a post; an unknown key (of an old row) is shown as it is."""
    return POSTS[key].label if key in POSTS else key
