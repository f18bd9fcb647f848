from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.plan import GROUPS
from tests.farmsim.__main__ import main
from tests.farmsim.scenarios import SCENARIOS, known_faults, now_and_then


def test_make_chaos_plays_every_scenario() -> None:
    played = [scenario.name for group in GROUPS if group.simulated for scenario in group.scenarios]
    assert sorted(played) == sorted(scenario.name for scenario in SCENARIOS)


def test_every_fault_is_in_some_scenario() -> None:
    played = {str(fate) for scenario in SCENARIOS for fate in scenario.fates}
    played |= {strike for scenario in SCENARIOS for strike in scenario.strikes}
    assert played == set(known_faults())


def test_scenarios_and_faults_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in [*known_faults(), *(scenario.name for scenario in SCENARIOS)])


@pytest.mark.parametrize("arguments", [["--faults", "earthquake"], ["--only", "nothing like it"]])
def test_what_is_not_known_is_refused_by_name(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert arguments[1] in capsys.readouterr().err


def test_a_costly_condition_is_asked_now_and_then() -> None:
    asked: list[int] = []

    def holds() -> bool:
        asked.append(1)
        return True

    condition: Callable[[], bool] = now_and_then(holds)
    assert [condition() for _ in range(5)].count(True) == len(asked) == 1
