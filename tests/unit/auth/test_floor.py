"""The floor: what is missing is waited for, and no more."""

from restante.auth.floor import Floor
from unit.auth.scene import Clock, run


def test_what_is_missing_is_waited_for() -> None:
    clock, slept = Clock(), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    floor = Floor(0.5, clock, sleep)
    for _ in range(2):
        with floor.counted():
            clock.now += 0.125
        clock.now += 30
    run(floor.fill())
    assert slept == [0.25]
    with floor.counted():
        clock.now += 1
    run(floor.fill())
    assert slept == [0.25]
