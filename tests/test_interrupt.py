"""An interrupt (Ctrl-C) waits until a step is whole; then it comes as ever."""

import signal
import threading

import pytest

from mlcore._interrupt import whole_step


@pytest.fixture
def handler(request):
    """What SIGINT leads to, for the time of a test; a process in the background may ignore it."""
    before = signal.signal(signal.SIGINT, getattr(request, "param", signal.default_int_handler))
    yield signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def interrupt():
    signal.raise_signal(signal.SIGINT)


def test_it_comes_once_after_the_step_and_the_handler_is_back(handler):
    done = []
    with pytest.raises(KeyboardInterrupt), whole_step():
        interrupt()
        done.append(1)
        interrupt()
        done.append(2)
    assert done == [1, 2] and signal.getsignal(signal.SIGINT) is handler
    with whole_step():
        pass
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_a_step_within_a_step_ends_with_the_outer_one(handler):
    done = []
    with pytest.raises(KeyboardInterrupt), whole_step():
        with whole_step():
            interrupt()
        done.append(1)
    assert done == [1] and signal.getsignal(signal.SIGINT) is handler


def test_a_step_that_fails_lets_the_interrupt_through_and_names_the_failure(handler):
    with pytest.raises(KeyboardInterrupt) as caught, whole_step():
        interrupt()
        raise ZeroDivisionError
    assert type(caught.value.__context__) is ZeroDivisionError and signal.getsignal(signal.SIGINT) is handler
    with pytest.raises(ZeroDivisionError), whole_step():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is handler


calls = []


@pytest.mark.parametrize("handler", [lambda *given: calls.append(given)], indirect=True)
def test_a_handler_of_ones_own_is_called_after_the_step(handler):
    with whole_step():
        interrupt()
        assert not calls
    assert len(calls) == 1 and calls[0][0] == signal.SIGINT and signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL], indirect=True)
def test_what_is_no_handler_of_python_stays(handler):
    with whole_step():
        assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("inside", [False, True])
def test_the_steps_of_another_thread_change_nothing(handler, inside):
    failures = []

    def work():
        try:
            with whole_step():
                pass
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=work)
    if inside:
        with pytest.raises(KeyboardInterrupt), whole_step():
            interrupt()
            thread.start()
            thread.join()
    else:
        thread.start()
        thread.join()
    assert not failures and signal.getsignal(signal.SIGINT) is handler
