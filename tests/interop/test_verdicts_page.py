"""The page on verdicts is what the record of the last run says, and the record is of this suite."""

from collections import Counter
from pathlib import Path

import pytest

from examine.recorded import DECIDED
from interop.peers import page, verdicts
from interop.peers.roster import PEERS
from interop.peers.verdicts import Found, Verdicts
from restante.examine.suite import CASES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "verdicts.md"
RECORD = {record.peer: record for record in verdicts.load()}


def test_the_page_is_what_the_record_says() -> None:
    text = page.render(list(RECORD.values()), CASES, PEERS)
    assert PAGE.read_text() == text, "run: python docs/generate_verdicts.py --render"


def test_every_server_is_on_record_with_every_case() -> None:
    assert list(RECORD) == [peer.name for peer in PEERS]
    names = [case.name for case in CASES]
    for record in RECORD.values():
        assert list(record.cases) == names, "run: make verdicts"


def test_restante_departs_nowhere_and_each_difference_is_decided() -> None:
    found = RECORD["Restante"].cases
    assert [name for name, each in found.items() if each.verdict == "departs"] == []
    assert {name for name, each in found.items() if each.verdict == "differs"} == set(DECIDED)


def test_a_record_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    found = {
        "a": Found("passes", "", 0.1),
        "b": Found("departs", "it says b'+OK'", 2.0),
        "c": Found("not_tried", "no endpoint", 0.0),
    }
    saved = [Verdicts("one", "1.0", 3, found), Verdicts("two", "2.0", 4, found)]
    verdicts.save(saved, tmp_path / "record")
    assert verdicts.load(tmp_path / "record") == saved


def test_what_differs_from_run_to_run_is_not_on_record(tmp_path: Path) -> None:
    why = "'+OK <17.1795551619@host> SESSIONID=<one-2>' and d98c1dd404b2008f, not 4294967297"
    verdicts.save([Verdicts("one", "1", 1, {"a": Found("departs", why, 0.0)})], tmp_path / "record")
    [record] = verdicts.load(tmp_path / "record")
    assert record.cases["a"].why == "'+OK … …' and …, not 4294967297"


@pytest.mark.parametrize("verdict", ["passes", "departs", "differs", "not_applicable", "not_tried"])
def test_each_verdict_is_counted_and_has_a_mark(verdict: str) -> None:
    case = CASES[0]
    run = Verdicts("Dovecot", "1", 1, {case.name: Found(verdict, "because `it` | is", 0.0)})
    text = page.render([run], [case], PEERS)
    [row] = [line for line in text.splitlines() if line.startswith("| [Dovecot]")]
    assert Counter(row.replace(" ", "").split("|"))["1"] == 1
    told = " ".join(text.split())
    assert ("because \\`it\\` \\| is" in told) == (verdict not in ("passes", "not_applicable"))
    row_of_case = f"| {case.level.value} | {page.MARKS[verdict]} |"
    assert (row_of_case in text) == (verdict in ("departs", "differs"))


def test_what_was_waited_for_outlives_a_run_that_does_not_wait() -> None:
    slow = next(case.name for case in CASES if case.vigil is not None)
    earlier = {slow: Found("passes", "", 600.0), "a": Found("passes", "", 0.0)}
    later = {"a": Found("differs", "now", 0.0), slow: Found("not_tried", "--slow", 0.0)}
    records = [Verdicts("one", "1", 1, earlier)]
    [kept] = verdicts.keep_waited([Verdicts("one", "2", 1, later)], records)
    assert kept.version == "2"
    assert list(kept.cases.items()) == [("a", later["a"]), (slow, earlier[slow])]
