"""The grammar of `-f/--format`."""

import pytest

from pipeline.errors import UsageError
from pipeline.hls.rules import Condition, Rule, parse_rules


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("best", [Rule()]),
        ("", [Rule()]),
        ("worst", [Rule(worst=True)]),
        ("720p", [Rule((Condition("height", "=", 720),))]),
        ("1280x720", [Rule((Condition("width", "=", 1280), Condition("height", "=", 720)))]),
        ("3", [Rule((Condition("id", "=", 3),))]),
        ("height<=1080", [Rule((Condition("height", "<=", 1080),))]),
        ("bandwidth<4M", [Rule((Condition("bandwidth", "<", 4e6),))]),
        ("fps>30", [Rule((Condition("frame_rate", ">", 30),))]),
        ("average-bandwidth!=900k", [Rule((Condition("average_bandwidth", "!=", 9e5),))]),
        (
            "height<=1080, codecs=hvc1 ,worst",
            [Rule((Condition("height", "<=", 1080), Condition("codecs", "=", "hvc1")), worst=True)],
        ),
        ("audio=en", [Rule((Condition("audio", "=", "en"),))]),
        ("1080p/best", [Rule((Condition("height", "=", 1080),)), Rule()]),
    ],
)
def test_rules(text: str, expected: list[Rule]) -> None:
    """Conditions, an order, and alternatives."""
    assert list(parse_rules(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "good",
        "height",
        "height<tall",
        "codecs<hvc1",
        "colour=red",
        "p",
        "height=",
        "=5",
        "height<1 m",
    ],
)
def test_what_is_no_rule_is_named(text: str) -> None:
    """With examples of what is."""
    with pytest.raises(UsageError, match=rf'"{text}" is not understood \(try best'):
        parse_rules(f"best,{text}")
