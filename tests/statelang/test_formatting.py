"""Formatting: what a file says stays, comments stay, and formatting twice is formatting once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from stratum.statelang.earlier import rewrite
from stratum.statelang.formatting import NotFormatted, format_text
from stratum.statelang.spec.source import load_data

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*(ROOT / "local" / "examples").rglob("*.yaml"), *(ROOT / "local" / "starter").glob("*.yaml"),
                *(Path(__file__).parent / "earlier").glob("*.yaml")])  # fmt: skip

MESSY = """\
# top
  # indented


a:   1   # one
long: 22 # two
bb:    [1,
  2, # of two
  3]

# about c


c:

  # first
  x: |
    text # no comment

      more

  y: >-   # folded
   one
   two
  # below y
# about d
d:
- e:  "a # b"
  f: 'it''s
    long'
- &anchor {k: v ,  l: [ 1,2 ]}
- *anchor
-   - 1
    - 2
-
  # before g
  g: !!str 1
k: |+
  keep

n:
"""
NEAT = """\
# top
# indented

a: 1      # one
long: 22  # two
bb:
  - 1
  - 2  # of two
  - 3

# about c

c:
  # first
  x: |
    text # no comment

      more

  y: >-  # folded
    one
    two
  # below y
# about d
d:
  - e: "a # b"
    f: 'it''s
      long'
  - &anchor {k: v, l: [1, 2]}
  - *anchor
  - - 1
    - 2
  # before g
  - g: !!str 1
k: |+
  keep

n:
"""


def comments(text: str) -> list[str]:
    return [token.partition("# ")[2] for token in text.split("\n") if "# " in token]


def test_the_canonical_form() -> None:
    assert format_text(MESSY) == NEAT
    assert format_text(NEAT) == NEAT


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_files_keep_what_they_say(file: Path) -> None:
    text = file.read_text()
    made = format_text(text)
    assert format_text(made) == made
    assert load_data(made) == load_data(text)
    assert sorted(comments(made)) == sorted(comments(text))


def test_what_import_writes_is_formatted() -> None:
    for file in (Path(__file__).parent / "earlier").glob("*.yaml"):
        for text in rewrite(file.read_bytes(), file.name).specs.values():
            assert format_text(text) == text


def test_what_does_not_fit_becomes_a_block() -> None:
    value = "x" * 60
    assert (
        format_text(f"a: {{b: {value}, c: [1, {{d: {value}}}]}}\n")
        == f"a:\n  b: {value}\n  c: [1, {{d: {value}}}]\n"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: [", "does not parse"), ("a: 1\n---\nb: 2\n", "one document"), ("%YAML 1.2\n---\na: 1\n", "directives"), ("? [1]\n: 2\n", "a key"),
     ("a: |2\n   x\n", "indentation")],
)  # fmt: skip
def test_what_is_left_alone_is_told(text: str, words: str) -> None:
    with pytest.raises(NotFormatted, match=words):
        format_text(text)


plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=30),
    st.sampled_from(["# no", "a: b", "- x", "x\ny\n", "é " * 40, " \n x"]),
)
values = st.recursive(plain, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text("abc#: é-", min_size=1, max_size=8), inner, max_size=4)), max_leaves=15)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text("abc", min_size=1, max_size=5), values, min_size=1, max_size=4), st.sampled_from([None, True, False]),
       st.integers(20, 100), st.integers(2, 6), st.randoms(use_true_random=False))  # fmt: skip
def test_whatever_a_file_says_stays(
    data: object, flow: bool | None, width: int, indent: int, chance: random.Random
) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, width=width, indent=indent, allow_unicode=True)
    lines = text.split("\n")
    if not any(word in text for word in ("|", ">", "'", '"')):  # a comment within a text would be text
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(lines))
            lines.insert(at, " " * chance.randrange(8) + "# a comment")
    text = "\n".join(lines)
    try:
        wanted = yaml.safe_load(text)
        made = format_text(text)
    except (yaml.YAMLError, NotFormatted):
        return
    assert yaml.safe_load(made) == wanted, text
    assert made.count("# a comment") == text.count("# a comment")
    assert format_text(made) == made
