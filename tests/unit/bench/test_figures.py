"""Statistics, bars, comparing, saving: everything that happens to figures once they are there."""

import json

import pytest

from coachwhip.bench import report
from coachwhip.bench.bars import ABSOLUTE, RATIOS, judge
from coachwhip.bench.compare import changes
from coachwhip.bench.proc import parse_stat
from coachwhip.bench.results import BadResult, Row, Run, Sample, ServerFacts, WorkloadFacts, load, save
from coachwhip.bench.show import amount
from coachwhip.bench.stats import spread
from coachwhip.bench.workloads import WORKLOADS


def sample(cpu_us, rate=1000.0, busy=1.0):
    return Sample(requests=rate, seconds=1.0, bytes=1, errors=0, cpu_us=cpu_us, busy=busy, p50_ms=1, p99_ms=2, pss_kib=1024, rss_kib=2048)


def run_of(workload, **servers):
    """A run of one workload: server → its samples."""
    made = Run("2026-01-01 00:00 UTC", {"cores": "2"}, 5, 1)
    made.workloads.append(WorkloadFacts(workload, f"title of {workload}", "wrk", 64))
    for key, samples in servers.items():
        made.servers.append(ServerFacts(key, key.title(), "1.0", f"run {key}", "conf", ""))
        made.rows.append(Row(workload, key, samples))
    return made


def test_median_and_quartiles():
    found = spread([5.0, 1.0, 3.0, 2.0, 4.0])
    assert (found.median, found.low, found.high) == (3.0, 1.0, 5.0)
    assert found.relative == pytest.approx(1 / 3)


def test_one_measurement_has_no_spread():
    assert spread([7.0]).relative == 0.0


def test_nothing_has_no_median():
    with pytest.raises(ValueError, match="nothing"):
        spread([])


def test_process_times_include_reaped_children_and_survive_odd_names():
    line = "42 (a) b (c)) S 7 42 40 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 555 1 1"
    found = parse_stat(line)
    assert (found.state, found.parent, found.session, found.ticks) == ("S", 7, 40, 127)


def test_ratio_is_of_medians():
    run = run_of("page", coachwhip=[sample(8), sample(9), sample(100)], nginx=[sample(10), sample(12), sample(11)])
    assert run.ratio("page", "cpu_us", "coachwhip", "nginx") == pytest.approx(9 / 11)
    assert run.ratio("page", "cpu_us", "coachwhip", "apache") is None


def verdicts(run):
    return {verdict.what: verdict for verdict in judge(run)}


def test_a_bar_is_met_at_its_value():
    run = run_of("page", coachwhip=[sample(8, 12_500)], nginx=[sample(10, 10_000)])
    assert verdicts(run)["cpu nginx"].met is True
    assert verdicts(run)["rate nginx"].met is True


def test_a_missed_bar_says_by_how_much():
    verdict = verdicts(run_of("page", coachwhip=[sample(12)], nginx=[sample(10)]))["cpu nginx"]
    assert (verdict.met, verdict.text) == (False, "missed by 50%")
    verdict = verdicts(run_of("page", coachwhip=[sample(8.01)], nginx=[sample(10)]))["cpu nginx"]
    assert (verdict.met, verdict.text) == (False, "missed by less than 1%")


def test_requests_per_second_count_only_where_the_server_is_the_limit():
    slow = run_of("page", coachwhip=[sample(8, 10_000, busy=0.99)], nginx=[sample(10, 10_000)])
    assert verdicts(slow)["rate nginx"].text == "missed by 20%"
    waiting = run_of("page", coachwhip=[sample(8, 10_000, busy=0.5)], nginx=[sample(10, 10_000)])
    assert verdicts(waiting)["rate nginx"].met is None


def test_a_bar_stands_beside_what_reading_and_writing_alone_would_be():
    run = run_of("page", coachwhip=[sample(9)], nginx=[sample(10)], floor=[sample(7)])
    assert verdicts(run)["cpu nginx"].floor == pytest.approx(0.7)
    assert verdicts(run)["rate nginx"].floor is None
    assert not verdicts(run)["cpu nginx"].is_below_floor
    assert "(floor: 0.7)" in report.markdown(run, "result.json")
    assert "0 of these bars lie below it" in report.markdown(run, "result.json")
    run = run_of("page", coachwhip=[sample(9)], nginx=[sample(10)], floor=[sample(8.1)])
    assert "1 of these bars lies below it" in report.markdown(run, "result.json")


def test_a_bar_without_comparison():
    assert verdicts(run_of("miss", coachwhip=[sample(151)]))["µs per request"].met is False
    idle = run_of("idle", coachwhip=[])
    idle.rows[0].extra["bytes_per_connection"] = 4096.0
    assert verdicts(idle)["bytes per idle connection"].met is True


def test_nothing_measured_is_no_verdict():
    assert judge(run_of("page", coachwhip=[], nginx=[sample(10)])) == []


def test_every_bar_belongs_to_a_workload():
    assert {*RATIOS, *ABSOLUTE} <= {workload.name for workload in WORKLOADS}


def test_a_run_is_saved_and_read_back(tmp_path):
    run = run_of("page", coachwhip=[sample(8), sample(9)], nginx=[])
    save(run, tmp_path / "r.json")
    assert load(tmp_path / "r.json") == run


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "rows": 3}', "\xff"])
def test_another_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(BadResult, match=r"other\.json: expected"):
        load(path)


def test_another_format_is_refused(tmp_path):
    path = tmp_path / "new.json"
    path.write_text(json.dumps({"format": 2}))
    with pytest.raises(BadResult, match="format 1"):
        load(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadResult, match="No such file"):
        load(tmp_path / "none.json")


def test_changes_are_clear_only_where_the_ranges_do_not_touch():
    before = run_of("page", coachwhip=[sample(10), sample(11)], nginx=[sample(10), sample(12)])
    after = run_of("page", coachwhip=[sample(5), sample(6)], nginx=[sample(11), sample(13)], apache=[sample(40)])
    found = {change.server: change for change in changes(before, after)}
    assert set(found) == {"coachwhip", "nginx"}
    assert found["coachwhip"].is_clear
    assert not found["nginx"].is_clear
    assert found["coachwhip"].cpu_ratio == pytest.approx(5.5 / 10.5)


def test_the_report_has_lost_rows_and_reasons():
    run = run_of("page", coachwhip=[sample(12)], nginx=[sample(10)], apache=[])
    run.rows[-1].note = "did not start (exit status 1): no | such\nfile"
    text = report.markdown(run, "result.json")
    assert "missed by 50%" in text
    assert "not measured: did not start (exit status 1): no / such file" in text
    assert "run coachwhip" in text
    for line in text.splitlines():
        if line.startswith("| title of page | ") and "not measured" not in line:
            assert line.count("|") in (7, 12)


@pytest.mark.parametrize(("value", "shown"), [(None, "–"), (12345.6, "12,346"), (123.4, "123"), (12.34, "12.3"), (0.0123, "0.0123")])
def test_amounts_for_people(value, shown):
    assert amount(value) == shown
