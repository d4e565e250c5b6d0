"""The long rounds are summed up in a table, and any loss ends them with 1."""

import pytest

from tests.torture import __main__ as command
from tests.torture.__main__ import Outcome, Torture


def broken(*arguments):
    raise RuntimeError("no such luck")


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command with tortures of our own; gives its exit code and what it printed."""

    def act(*arguments, **tortures):
        monkeypatch.setattr(command, "TORTURES", tortures)
        monkeypatch.setattr("sys.argv", ["torture", *arguments])
        return command.main(), capsys.readouterr().out

    return act


def good(database, count, seed):
    return Outcome(True, f"{count} on {database}, lost 0")


def test_all_good_is_zero_and_every_torture_has_a_line_for_each_database(run):
    code, printed = run(kill=Torture(good, 50), outage=Torture(good, 10, ("postgres",)))
    assert code == 0
    table = printed.rpartition("\n\n")[2].splitlines()
    assert [line.split()[:2] for line in table] == [["kill", "sqlite"], ["kill", "postgres"], ["outage", "postgres"]]
    assert "50 on sqlite, lost 0" in table[0]


@pytest.mark.parametrize("bad", [lambda *arguments: Outcome(False, "lost 1"), broken])
def test_one_loss_or_break_is_one_and_the_others_still_run(run, bad):
    code, printed = run(kill=Torture(bad, 50), restart=Torture(good, 4))
    assert code == 1
    assert printed.count("NOT GOOD") == 2
    assert "4 on postgres, lost 0" in printed


def test_one_torture_database_and_number_can_be_asked_for(run):
    code, printed = run("kill", "--rounds", "3", "--database", "sqlite", kill=Torture(good, 50), restart=Torture(good, 4))
    assert code == 0
    assert "3 on sqlite" in printed and "postgres" not in printed and "restart" not in printed


def test_nothing_run_is_no_success(run):
    assert run("--database", "sqlite", outage=Torture(good, 10, ("postgres",)))[0] == 1
