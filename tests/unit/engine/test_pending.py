"""What is being changed is waited for, and no longer than it may take."""

from threading import Event, Thread

import pytest

from factory.engine.pending import Pending


def test_nothing_begun_is_settled_at_once() -> None:
    assert Pending().settle(0)


def test_a_change_of_another_thread_is_waited_for() -> None:
    pending, begun, go_on = Pending(), Event(), Event()

    def work() -> None:
        with pending.change():
            begun.set()
            go_on.wait(10)

    thread = Thread(target=work)
    thread.start()
    begun.wait(10)

    assert not pending.settle(0.01)
    go_on.set()
    assert pending.settle(10)
    thread.join()


def test_a_change_that_fails_has_ended_too() -> None:
    pending = Pending()

    with pytest.raises(OSError, match="refused"), pending.change():
        raise OSError("refused")

    assert pending.settle(0)
